"""Files on disk: written beside and renamed, read with suspicion.

Writing: everything goes to a hidden sibling first and is renamed when it is complete and on the disk, so a
full disk or a kill leaves what was there before. Reading: nothing is executed or unpickled, links are not
followed, and every size is checked before memory is taken for it. Whatever is wrong comes out as one line, a
`StoreError`.
"""

from isthmus.store.folder import FORMAT_VERSION as FORMAT_VERSION
from isthmus.store.folder import LIMITS as LIMITS
from isthmus.store.folder import ModelFiles as ModelFiles
from isthmus.store.folder import check_folder as check_folder
from isthmus.store.folder import read_folder as read_folder
from isthmus.store.folder import write_folder as write_folder
from isthmus.store.reading import read_json as read_json
from isthmus.store.tensors import Tensors as Tensors
from isthmus.store.tensors import read_tensors as read_tensors
from isthmus.store.tensors import tensor_bytes as tensor_bytes
from isthmus.store.tensors import write_tensors as write_tensors
from isthmus.store.writing import check_output as check_output
from isthmus.store.writing import json_bytes as json_bytes
from isthmus.store.writing import open_output as open_output
from isthmus.store.writing import remove_with_leftovers as remove_with_leftovers
from isthmus.store.writing import write_file as write_file

__all__ = [
    "FORMAT_VERSION",
    "LIMITS",
    "ModelFiles",
    "Tensors",
    "check_folder",
    "check_output",
    "json_bytes",
    "open_output",
    "read_folder",
    "read_json",
    "read_tensors",
    "remove_with_leftovers",
    "tensor_bytes",
    "write_file",
    "write_folder",
    "write_tensors",
]
