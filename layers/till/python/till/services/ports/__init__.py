"""What the use cases need from outside, and the promises they rely on."""
