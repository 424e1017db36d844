"""TensorBoard's readers import TensorFlow where it is installed, unless this module exists."""

import sys
import types

sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))
