"""What Medplum's clients are told of a project."""

PROJECT_NAME = "Threadwell"
