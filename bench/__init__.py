"""How fast it is: ``python -m bench``. Speed is measured here, and asserted in no test."""
