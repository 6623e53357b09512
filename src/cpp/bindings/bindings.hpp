#pragma once
// One function for each file of bindings; `module.cpp` calls them in the order of the data.

#include "bindings/pybind.hpp"

namespace npgfast::bindings {

void bind_build(py::module_& m);
void bind_problems(py::module_& m);
void bind_policies(py::module_& m);
void bind_exact(py::module_& m);
void bind_sampling(py::module_& m);
void bind_simulation(py::module_& m);
void bind_geometry(py::module_& m);
void bind_updates(py::module_& m);
void bind_training(py::module_& m);
void bind_learning(py::module_& m);

}  // namespace npgfast::bindings
