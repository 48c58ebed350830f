"""The objects of the API, a module each: their parameters, their endpoints, their shape."""
