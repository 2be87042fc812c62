"""What Outlook keeps mail in: single items (``.msg``) and data files (``.pst``, ``.ost``)."""
