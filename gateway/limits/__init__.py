"""Admission: who may have how much under way at once. No request objects, no HTTP."""
