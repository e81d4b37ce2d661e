"""The types of events that have a meaning here. The set is open: any dotted name will do."""

from enum import Enum
from typing import Literal

#: When recording returns: at once, when the event is on disk, or when it is in the log, without
#: which what it announces must not be done.
Mode = Literal["buffered", "durable", "required"]


class EventType(str, Enum):
    """What kind of act an event tells of."""

    INVOCATION = "agent.invocation"
    REASONING = "agent.reasoning"
    TOOL_CALL = "agent.tool_call"
    TOOL_RESULT = "agent.tool_result"
    DECISION = "agent.decision"
    LLM_RESPONSE = "agent.llm_response"
    ERROR = "agent.error"
    HANDOFF = "agent.handoff"
    HUMAN_INTERVENTION = "agent.human_intervention"
    TOKEN_USAGE = "agent.token_usage"
    CODE_EXECUTION = "agent.code_execution"
    RETRIEVAL = "agent.retrieval"
    USER_FEEDBACK = "agent.user_feedback"
    EVALUATION = "agent.evaluation"
    SECURITY = "agent.security"
    COMPLIANCE = "agent.compliance"

    def __str__(self) -> str:
        return self.value
