"""Things that stand in a street. Every function draws one of them on a canvas, in metres."""
