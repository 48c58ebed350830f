"""How words come in and go out: wire only, no models. `base` says what each channel gives."""
