"""The commands and their one-line descriptions; a command's module is imported when it is called."""

from __future__ import annotations

from cyclopts import App, Parameter

from isthmus import __version__

__all__ = ["app"]

app = App(
    name="isthmus",
    help="Learn the low-dimensional structure of data with autoencoders.",
    version=__version__,
    help_flags=["--help", "-h"],
    default_parameter=Parameter(negative=()),
    # Errors and interrupts are told in one line by isthmus.cli.running.
    exit_on_error=False,
    print_error=False,
    verbose=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)

COMMANDS = {
    "demo": ("demo:demo", "Train on two small data sets and show what comes out, in under a minute."),
    "fit": ("fit:fit", "Learn from a file or a folder of images and save the model."),
    "map": ("map:map_rows", "Draw a coloured map of a file's rows; save its codes and its model."),
    "encode": ("apply:encode", "Write the codes of rows."),
    "decode": ("apply:decode", "Write the data that codes stand for."),
    "reconstruct": ("apply:reconstruct", "Write rows as the model sees them: encoded and decoded again."),
    "denoise": ("apply:denoise", "Write rows cleaned by a model that learned to undo a corruption."),
    "score": ("apply:score", "Write the log-likelihood of rows, in nats."),
    "density": ("density:density", "Write log p(x) of rows beside its error, under a generative model."),
    "sample": ("generate:sample", "Draw new rows, beside the nearest rows of data if they are given."),
    "interpolate": ("walks:interpolate", "Write the way from one row to another through the space of codes."),
    "traverse": ("walks:traverse", "Write what becomes of a row when one latent moves."),
    "manifold": ("generate:manifold", "Draw the data of a grid of codes."),
    "diagnose": ("density:diagnose", "Look for what goes wrong in a generative model."),
    "models": ("models:models", "List all models: what each is, its parts and its paper."),
    "info": ("inspect:info", "Describe a model, or the columns of a file."),
    "dimension": ("dimension:dimension", "Estimate how many latents data need, from neighbours to evidence."),
    "compare": ("compare:compare", "Map the same rows by several methods, and measure how true each map is."),
    "report": ("inspect:report", "Write a web page about a model: what it learned, and how well."),
    "lab": ("lab:lab", "Check the claims of the lecture, with a picture and a number each."),
}

for _position, (_name, (_home, _help)) in enumerate(COMMANDS.items()):
    app.command(f"isthmus.cli.{_home}", name=_name, help=_help, sort_key=_position)
