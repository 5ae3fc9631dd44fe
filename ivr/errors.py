"""The exception tree.

An exception's docstring is its message to people; what differs per case is the argument.

    IvrError
    ├── InvalidFiles            an admin's files do not say what they must; carries every Problem
    ├── CallerHungUp            the caller left; ends a flow, never an error
    ├── AsteriskError
    │   ├── AgiProtocolError    the peer does not speak AGI
    │   ├── AgiCommandFailed
    │   ├── AgiTimeout
    │   ├── AmiUnavailable
    │   │   └── AmiAnswerLost   the action was sent: Asterisk may have done it
    │   ├── AmiLoginRefused
    │   └── AmiActionFailed
    ├── UnsafeValue             a value that could become a second command is refused
    ├── FlowError
    │   ├── StepLimitReached
    │   ├── StepFailed
    │   └── ExpressionFailed
    ├── ConnectorError
    │   ├── ConnectorTimeout    retryable
    │   ├── ConnectorUnavailable retryable
    │   └── ConnectorRefused
    ├── SpeechError
    ├── RecordingFailed
    ├── StoreError
    │   └── StoreUnavailable
    ├── WindowFull
    ├── RobotError              the robot caller could not do what its script says
    │   ├── CallFailed
    │   └── PromptNotHeard
    └── SetupError              something Klantlijn needs is not there; the message says what to do
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class IvrError(Exception):
    """Something went wrong in Klantlijn."""

    def __str__(self) -> str:
        text = (type(self).__doc__ or "").splitlines()[0].strip()
        details = ", ".join(str(argument) for argument in self.args)
        return f"{text} {details}".strip() if details else text


class InvalidFiles(IvrError):
    """The files contain mistakes."""

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__()
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class CallerHungUp(IvrError):
    """The caller hung up."""


class AsteriskError(IvrError):
    """Asterisk did not do what was asked."""


class AgiProtocolError(AsteriskError):
    """The peer does not speak AGI:"""


class AgiCommandFailed(AsteriskError):
    """Asterisk refused an AGI command:"""


class AgiTimeout(AsteriskError):
    """Asterisk did not answer an AGI command in time:"""


class AmiUnavailable(AsteriskError):
    """There is no connection to Asterisk's manager interface:"""


class AmiAnswerLost(AmiUnavailable):
    """Asterisk may or may not have done a manager action; its answer never came:"""


class AmiLoginRefused(AsteriskError):
    """Asterisk's manager interface refused the login; check asterisk.ami in config.yaml:"""


class AmiActionFailed(AsteriskError):
    """Asterisk refused a manager action:"""


class UnsafeValue(IvrError):
    """This could not be sent to Asterisk without changing its meaning:"""


class FlowError(IvrError):
    """A flow could not go on."""


class StepLimitReached(FlowError):
    """A call ran more steps than flow.max_steps allows:"""


class StepFailed(FlowError):
    """A step failed:"""


class ExpressionFailed(FlowError):
    """An expression could not be evaluated:"""


class ConnectorError(IvrError):
    """A connected system failed:"""

    retryable: ClassVar[bool] = False


class ConnectorTimeout(ConnectorError):
    """A connected system did not answer within its budget:"""

    retryable = True


class ConnectorUnavailable(ConnectorError):
    """A connected system cannot be reached:"""

    retryable = True


class ConnectorRefused(ConnectorError):
    """A connected system refused the request:"""


class SpeechError(IvrError):
    """Speech could not be made:"""


class RecordingFailed(IvrError):
    """Nothing could be recorded:"""


class StoreError(IvrError):
    """The database failed:"""


class StoreUnavailable(StoreError):
    """The database cannot be reached:"""


class WindowFull(IvrError):
    """The chosen callback window has just filled up."""


class RobotError(IvrError):
    """The robot caller could not go on:"""


class CallFailed(RobotError):
    """The robot's call failed:"""


class PromptNotHeard(RobotError):
    """The robot did not hear a prompt in time:"""


class SetupError(IvrError):
    """Klantlijn cannot start:"""
