"""The parts of forge-standin: one forge each, on the two servers and the state that they share."""
