"""The one way in which this project writes a file: whole or not there. Standard library only, for every room."""
