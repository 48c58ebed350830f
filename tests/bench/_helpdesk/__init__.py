"""django-helpdesk on a virtual environment and a database of its own; none of it is Amends'."""
