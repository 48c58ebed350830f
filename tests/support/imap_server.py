"""pymap as a process, whose mailbox keeps marks of others where MARKS is set."""

import os

from pymap.backend.mailbox import MailboxDataInterface
from pymap.main import main
from pymap.parsing.specials.flag import Flag, Wildcard

marks = {Wildcard, Flag(b"AmendsStored")}
if os.environ.get("MARKS"):
    theirs = vars(MailboxDataInterface)["permanent_flags"].fget
    setattr(  # noqa: B010 - the interface's property is not to be assigned
        MailboxDataInterface, "permanent_flags", property(lambda self: theirs(self) | marks)
    )

if __name__ == "__main__":
    main()
