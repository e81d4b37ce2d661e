"""An agent whose log is at a server: what waits where, and what is not done without the log.

    tacho serve &
    python at_a_server.py http://127.0.0.1:7411

The token is looked for where ``tacho`` looks for it. Stop the server while this runs, and start it
again: nothing is lost, and nothing is paid that is not in the log.
"""

import sys

import tachograph
from tachograph import context, errors


def refund(order: int) -> str:
    return f"order {order} is refunded"


def main(url: str, spool: str) -> None:
    with tachograph.connect(url, spool=spool, patience=10) as log:
        with context.trace() as trace_id, context.agent("Billing"):
            # On a disk of this machine when it returns; the server gets it by itself.
            log.log_reasoning("Billing", "the customer is right")
            try:
                # In the log of the server, or the refund does not happen.
                with log.intent("refund", {"order": 1042}, mode="required") as act:
                    act.result(refund(1042))
                    print("refunded")
            except errors.LogUnavailable as error:
                print("not refunded:", error)
        receipt = log.log_decision("Billing", "close", trace_id=trace_id)
        print("index", receipt.wait_sealed(timeout=30).index)
        for event in log.events(trace=trace_id, newest_first=False):
            print(event["index"], event["action"])
        print("verified:", log.verify().verdict)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "tachograph-spool")
