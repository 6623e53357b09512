#pragma once
// The only place that includes pybind11, and the precompiled header of the bindings.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
