#include <limits>

#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "npgfast/problems/simulator.hpp"

namespace npgfast::bindings {

namespace {

std::unique_ptr<Simulator> simulator_view(int kind, const py::array& parameters) {
    return make_simulator(static_cast<SimulatorKind>(kind), view<double>(parameters, "parameters", {kAny}));
}

/// An episode is the 32-bit environment of its stream, which also bounds every size that is computed from n.
void check_episodes(Index n) {
    if (n < 0 || n > Index{std::numeric_limits<std::uint32_t>::max()})
        throw py::value_error("n: expected 0 to 2**32 - 1 episodes, got " + std::to_string(n));
}

Reals action_view(const Simulator& simulator, const py::array& array, Index n) {
    const Reals actions = view<double>(array, "actions", {n, simulator.action_size()});
    if (simulator.n_actions() == 0) return actions;
    const auto high = static_cast<double>(simulator.n_actions());
    for (std::size_t i = 0; i < actions.size(); ++i)
        if (!(actions[i] >= 0.0 && actions[i] < high && actions[i] == static_cast<double>(Index(actions[i]))))
            throw py::index_error("actions[" + std::to_string(i) + "]=" + std::to_string(actions[i]) +
                                  ": expected an integer in [0, " + std::to_string(simulator.n_actions()) + ")");
    return actions;
}

py::tuple bind_simulator_sizes(int kind, const py::array& parameters) {
    const auto simulator = simulator_view(kind, parameters);
    return py::make_tuple(simulator->state_size(), simulator->observation_size(), simulator->n_actions(),
                          simulator->action_size());
}

py::array bind_simulator_start(int kind, const py::array& parameters, Index n, std::uint64_t seed) {
    const auto simulator = simulator_view(kind, parameters);
    check_episodes(n);
    const Index size = simulator->state_size();
    std::vector<double> states(static_cast<std::size_t>(n * size));
    {
        const py::gil_scoped_release release;
        for (Index i = 0; i < n; ++i) {
            Stream random(seed, 0, static_cast<std::uint32_t>(i), 0, Purpose::start);
            simulator->start(states.data() + i * size, random);
        }
    }
    return to_array(std::move(states), {n, size});
}

py::tuple bind_simulator_step(int kind, const py::array& parameters, const py::array& states_array,
                              const py::array& actions_array, std::uint64_t seed, std::uint32_t step) {
    const auto simulator = simulator_view(kind, parameters);
    const Index size = simulator->state_size();
    const Reals before = view<double>(states_array, "states", {kAny, size});
    const Index n = states_array.shape(0);
    check_episodes(n);
    const Reals actions = action_view(*simulator, actions_array, n);
    std::vector<double> states(before.begin(), before.end()), rewards(static_cast<std::size_t>(n));
    std::vector<std::uint8_t> terminated(static_cast<std::size_t>(n));
    {
        const py::gil_scoped_release release;
        step_rows(*simulator, seed, step, states, actions, rewards, terminated);
    }
    return py::make_tuple(to_array(std::move(states), {n, size}), to_array(std::move(rewards)),
                          to_array(std::move(terminated)));
}

py::array bind_simulator_observe(int kind, const py::array& parameters, const py::array& states_array) {
    const auto simulator = simulator_view(kind, parameters);
    const Index size = simulator->state_size(), observation_size = simulator->observation_size();
    const Reals states = view<double>(states_array, "states", {kAny, size});
    const Index n = states_array.shape(0);
    check_episodes(n);
    std::vector<double> observations(static_cast<std::size_t>(n * observation_size));
    {
        const py::gil_scoped_release release;
        observe_rows(*simulator, states, observations);
    }
    return to_array(std::move(observations), {n, observation_size});
}

}  // namespace

void bind_problems(py::module_& m) {
    m.def("simulator_sizes", &bind_simulator_sizes, py::arg("kind"), py::arg("parameters"));
    m.def("simulator_start", &bind_simulator_start, py::arg("kind"), py::arg("parameters"), py::arg("n"),
          py::arg("seed"));
    m.def("simulator_step", &bind_simulator_step, py::arg("kind"), py::arg("parameters"), py::arg("states"),
          py::arg("actions"), py::arg("seed"), py::arg("step"));
    m.def("simulator_observe", &bind_simulator_observe, py::arg("kind"), py::arg("parameters"), py::arg("states"));
}

}  // namespace npgfast::bindings
