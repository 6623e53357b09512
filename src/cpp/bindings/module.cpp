#include "bindings/bindings.hpp"

PYBIND11_MODULE(_impl, m, py::mod_gil_not_used()) {
    using namespace npgfast::bindings;
    bind_build(m);
    bind_problems(m);
    bind_policies(m);
    bind_exact(m);
    bind_sampling(m);
    bind_simulation(m);
    bind_geometry(m);
    bind_updates(m);
    bind_training(m);
    bind_learning(m);
}
