#!/usr/bin/env python3
"""Pages of evidence in headless Chromium with the network off: whole ones verify, altered ones say
what was altered, and `tacho verify` says the same of the same file.

    browser.py TACHO FOLDER [PICTURES]

Chromium is driven by the DevTools protocol over a pipe; nothing but the standard library is used.
"""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
# A page that is not done by then never is; a busy machine takes some seconds.
PAGE_SECONDS = 60
SESSION = "session-refund-7731"
# What a page must not obey, in every text of a record.
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u001b[31m"


class Browser:
    """Chromium with one page, and everything that it asked for or complained about."""

    def __init__(self, folder):
        given, self.out = os.pipe()
        self.inp, taken = os.pipe()

        def pipes():
            # Chromium reads 3 and writes 4; the copies must not be closed by one another.
            high = [os.dup2(given, 103), os.dup2(taken, 104)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        command = [CHROMIUM, "--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
                   "--disable-background-networking", "--disable-dev-shm-usage", "--disable-extensions",
                   "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile"]
        if os.getuid() == 0:
            command.append("--no-sandbox")
        self.process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(given)
        os.close(taken)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(domain + ".enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0,
                  downloadThroughput=0, uploadThroughput=0)
        self.call("Emulation.setDeviceMetricsOverride", width=1180, height=900, deviceScaleFactor=1,
                  mobile=False)

    def read(self):
        while b"\0" not in self.buffer:
            more = os.read(self.inp, 1 << 20)
            if not more:
                raise SystemExit("Chromium ended")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":
                raise SystemExit(f"a page opened a dialog: {answer['params']['message']}")

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def open(self, path):
        """Opens a page, waits until it has checked itself, and returns its verdict."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        return self.settled()

    def settled(self):
        until = time.monotonic() + PAGE_SECONDS
        while time.monotonic() < until:
            if self.run("document.readyState") == "complete":
                verdict = self.run("document.documentElement.dataset.verdict")
                if verdict != "checking":
                    return verdict
            time.sleep(0.02)
        raise SystemExit("a page did not finish")

    def text(self, selector):
        script = f"[...document.querySelectorAll({json.dumps(selector)})].map(it => it.textContent).join('\\n')"
        return self.run(script)

    def complaints(self):
        """Requests beyond the page itself, errors, and violations of its policy."""
        found = []
        for event in self.events:
            method, said = event.get("method"), event.get("params", {})
            if method == "Network.requestWillBeSent":
                url = said["request"]["url"]
                if not re.match(r"^(file:///[^ ]*\.html$|blob:|data:)", url):
                    found.append(url)
            if method == "Log.entryAdded":
                found.append(said["entry"]["text"])
            if method == "Runtime.exceptionThrown":
                found.append(str(said["exceptionDetails"]))
            if method == "Runtime.consoleAPICalled":
                found.append(str(said["args"]))
        return found

    def picture(self, path, dark=False, print_style=False):
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media="print" if print_style else "", features=scheme)
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png",
                          clip={"x": 0, "y": 0, "width": 1180, "scale": 1,
                                "height": min(4000, self.run("document.documentElement.scrollHeight"))})
        pathlib.Path(path).write_bytes(base64.b64decode(image["data"]))
        self.call("Emulation.setEmulatedMedia", media="", features=[])

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except SystemExit:
            pass
        self.process.wait(timeout=30)


class Place:
    """A log, and bundles of it."""

    def __init__(self, tacho, folder):
        self.tacho, self.folder = tacho, folder
        self.environment = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"),
                            "TACHO_DATA": str(folder / "data"), "PATH": os.environ["PATH"]}
        made = json.loads(self.run("init", "--format", "json"))
        self.vkey = made["log"]["vkey"]

    def run(self, *words, code=0, text=None):
        ran = subprocess.run([self.tacho, *words], env=self.environment, input=text, text=True,
                             capture_output=True, cwd=self.folder)
        if ran.returncode != code:
            raise SystemExit(f"tacho {' '.join(words)} ended with {ran.returncode}, not {code}:\n"
                             f"{ran.stdout}{ran.stderr}")
        return ran.stdout

    def verify(self, path, code, pinned=True):
        key = ["--key", self.vkey] if pinned else []
        return json.loads(self.run("verify", str(path), *key, "--format", "json", code=code))


def expect(condition, what):
    if not condition:
        raise SystemExit(f"not as it should be: {what}")


def alter(page, name, change):
    """The same page with a changed bundle in it."""
    mark = '<script type="application/json" id="bundle">'
    before, rest = page.read_text(encoding="utf-8").split(mark)
    text, after = rest.split("</script>", 1)
    altered = change(text)
    expect(altered != text, f"{name}: the change changes nothing")
    path = page.with_name(name + ".html")
    path.write_text(before + mark + altered + "</script>" + after, encoding="utf-8")
    return path


def one_byte(mark, offset=0):
    """Another letter or digit at a place behind a mark."""
    def change(text):
        at = text.index(mark) + len(mark) + offset
        other = {"0": "1", "a": "b", "A": "B"}.get(text[at], "0" if text[at].isdigit() else "a")
        return text[:at] + other + text[at + 1:]
    return change


def as_json(change):
    """A change of the document that spells it as it must be spelled."""
    def changed(text):
        document = json.loads(text)
        change(document)
        plain = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        for letter in "<>&\u2028\u2029\u007f\ufeff":
            plain = plain.replace(letter, f"\\u{ord(letter):04x}")
        return plain
    return changed


def without_record(position):
    def change(document):
        del document["records"][position]
    return as_json(change)


def whole_ones(browser, place, pictures):
    for name, words in [("whole", []), ("metadata", ["--metadata-only"])]:
        page = place.folder / f"{name}.html"
        place.run("bundle", "--session", SESSION, "-o", str(page), *words)
        expect(browser.open(page) == "ok", f"{name}: {browser.text('.verdict')}")
        expect(browser.text(".verdict").count("Consistent"), "an unpinned page says so")
        expect("Complete: these are all 11 records" in browser.text(".checks"), browser.text(".checks"))
        expect(browser.text(".bad") == "", browser.text(".bad"))
        expect(browser.run("document.querySelectorAll('.line').length") == 11, "a line for each record")
        expect(("maria" in browser.text("pre").lower()) == (not words) or not words, "content is withheld")
        expect(browser.complaints() == [], f"{name}: {browser.complaints()}")
        report = place.verify(page, 0)
        expect(report["completeness"]["sentence"] in browser.text(".checks"), "both say the same")
        if pictures:
            browser.picture(pictures / f"{name}.png")
            browser.picture(pictures / f"{name}-dark.png", dark=True)
            browser.picture(pictures / f"{name}-print.png", print_style=True)
    archive = place.folder / "whole.zip"
    place.run("bundle", "--session", SESSION, "-o", str(archive))
    expect(place.verify(archive, 0)["level"] == "signed", "the zip file verifies")
    return place.folder / "whole.html"


def keys_are_compared(browser, place, page):
    def compare(expected):
        browser.open(page)
        browser.run(f"document.querySelector('input').value = {json.dumps(expected)};"
                    "document.documentElement.dataset.verdict = 'checking';"
                    "document.querySelector('button').click()")
        return browser.settled(), browser.run("document.documentElement.dataset.level")

    browser.open(page)
    shown = browser.text(".print")
    expect(compare(place.vkey) == ("ok", "signed"), "the log's key is accepted")
    expect("signed by the key that you expect" in browser.text(".verdict"), browser.text(".verdict"))
    expect(compare(shown) == ("ok", "signed"), "its fingerprint is accepted")
    wrong = ("0" if shown[0] != "0" else "1") + shown[1:]
    expect(compare(wrong)[0] == "tampered", "another fingerprint is refused")
    expect(browser.text(".verdict .word").startswith("Does not verify"), browser.text(".verdict"))


def altered_ones(browser, place, page, pictures):
    cases = {
        "record": (one_byte('"meta":"{\\"schema\\":\\"tachograph.event/1\\",\\"event_id\\":\\"'), "record"),
        "content": (one_byte('"content":"{\\"params\\":{\\"', 2), "record"),
        "proof": (one_byte('"proof":["', 7), "proof"),
        "checkpoint": (one_byte('"checkpoint":"', 60), "checkpoint"),
        "figures": (as_json(lambda it: it["figures"]["tools"]["process_refund"].update(calls=9)), "figures"),
        "first-left-out": (without_record(0), "record"),
        "middle-left-out": (without_record(5), "record"),
        "last-left-out": (without_record(-1), "entries after the records"),
    }
    for name, (change, part) in cases.items():
        altered = alter(page, name, change)
        expect(browser.open(altered) == "tampered", f"{name}: {browser.text('.verdict')}")
        wrong = browser.text(".checks .bad, .figure.bad, tr.bad, .line.fails")
        named = re.search(r"At fault: (.*)\.", browser.text(".verdict")).group(1)
        expect(part in named, f"{name}: the page blames {named}")
        expect(part in wrong.lower(), f"{name}: nothing red names it: {wrong}")
        report = place.verify(altered, 10)
        file = {"entries after the records": "rest"}.get(part, part)
        expect(any(it["file"] == file for it in report["findings"]), f"{name}: {report['findings']}")
        if "left-out" in name:
            expect(report["completeness"]["extent"] == "broken", report["completeness"])
            expect("Not complete" in browser.text(".checks .bad"), "completeness is red")
        if pictures:
            browser.picture(pictures / f"{name}.png")
    # A page whose program was changed shows whatever it likes; `tacho verify` says that it was.
    forged = page.with_name("forged.html")
    forged.write_text(page.read_text(encoding="utf-8").replace("'Does not verify", "'Verified"), encoding="utf-8")
    expect(place.verify(forged, 10)["findings"][0]["file"] == "page", "a forged page is found")


def hostile_ones(browser, place, pictures):
    fields = ["agent_name", "action", "tool", "error_type", "source", "version", "event_id"]
    event = {field: HOSTILE for field in fields}
    event |= {"event_type": "agent.tool_call", "session_id": "s" + HOSTILE, "outcome": "failure",
              "params": {HOSTILE: HOSTILE}, "cost": {"amount": 1, "currency": HOSTILE}}
    place.run("append", text=json.dumps(event) + "\n")
    page = place.folder / "hostile.html"
    place.run("bundle", "--session", "s" + HOSTILE, "-o", str(page))
    expect(browser.open(page) == "ok", browser.text(".verdict"))
    expect(browser.complaints() == [], str(browser.complaints()))
    expect(browser.run("document.querySelectorAll('img, main script').length") == 0, "no markup comes of it")
    expect("<img src=x onerror=alert(2)>\\u{202e}" in browser.text(".line"), "it is shown as it is")
    if pictures:
        browser.picture(pictures / "hostile.png")


def main():
    tacho, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    pictures = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    place = Place(str(tacho), folder)
    place.run("append", str(ROOT / "testdata/incident/refund.ndjson"))
    begun = time.monotonic()
    browser = Browser(folder)
    try:
        page = whole_ones(browser, place, pictures)
        keys_are_compared(browser, place, page)
        altered_ones(browser, place, page, pictures)
        hostile_ones(browser, place, pictures)
    finally:
        browser.close()
    print(f"pages of evidence hold, and say what does not, in {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
