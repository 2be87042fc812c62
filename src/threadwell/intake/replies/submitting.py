"""What comes of a mail that a mail server was to take, in the words of an outbox."""

from __future__ import annotations

from threadwell.calls.submission import Submission, SubmissionFailed, Submitted, Submitter
from threadwell.channels.sending import Failed, Later, Outbound, Sent
from threadwell.messages import Address

#: Seconds that a server may take longer than it should, until nothing is under way any more.
MARGIN = 15.0


async def submit(
    submitter: Submitter, submission: Submission, out: Outbound
) -> Sent | Later | Failed:
    """Hand a mail over, and say what came of it."""
    try:
        done = await submitter.submit(submission)
    except SubmissionFailed as error:
        if error.doubtful:
            return Later(str(error), error.code, doubtful=True)
        again = error.again
        return Later(str(error), error.code) if again else Failed(str(error), error.code)
    return Sent(submission.id, refused=_refused(done, out))


def _refused(done: Submitted, out: Outbound) -> tuple[tuple[Address, str], ...]:
    return tuple(
        (one, done.refused[one.value]) for one in out.recipients if one.value in done.refused
    )
