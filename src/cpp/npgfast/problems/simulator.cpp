#include "npgfast/problems/simulator.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "npgfast/problems/acrobot.hpp"
#include "npgfast/problems/cart_pole.hpp"
#include "npgfast/problems/lqr.hpp"
#include "npgfast/problems/mountain_car.hpp"
#include "npgfast/problems/pendulum.hpp"

namespace npgfast {

std::unique_ptr<Simulator> make_simulator(SimulatorKind kind, Reals parameters) {
    const auto need = [&](std::size_t count) {
        if (parameters.size() != count)
            throw std::invalid_argument("parameters: expected " + std::to_string(count) + ", got " +
                                        std::to_string(parameters.size()));
    };
    switch (kind) {
        case SimulatorKind::cart_pole: need(0); return std::make_unique<CartPole>();
        case SimulatorKind::mountain_car: need(1); return std::make_unique<MountainCar>(parameters[0]);
        case SimulatorKind::mountain_car_continuous:
            need(1);
            return std::make_unique<MountainCarContinuous>(parameters[0]);
        case SimulatorKind::acrobot: need(0); return std::make_unique<Acrobot>();
        case SimulatorKind::pendulum: need(1); return std::make_unique<Pendulum>(parameters[0]);
        case SimulatorKind::lqr: return std::make_unique<Lqr>(parameters);
    }
    throw std::invalid_argument("kind: unknown simulator " + std::to_string(static_cast<int>(kind)));
}

void step_rows(const Simulator& simulator, std::uint64_t seed, std::uint32_t step, MutableReals states, Reals actions,
               MutableReals rewards, std::span<std::uint8_t> terminated) {
    const Index size = simulator.state_size(), action_size = simulator.action_size();
    Column<double> state = group_array(size), action = group_array(action_size),
                   noise = group_array(simulator.noise_size()), reward = group_array(1);
    std::array<std::int64_t, kGroup> steps;
    steps.fill(step);
    for (Index first = 0; first < std::ssize(rewards); first += kGroup) {
        const Index n = std::min(kGroup, std::ssize(rewards) - first);
        gather(states.data() + first * size, n, size, state.data());
        gather(actions.data() + first * action_size, n, action_size, action.data());
        const GroupStream random{seed, 0, static_cast<std::uint32_t>(first), steps.data(), Purpose::dynamics};
        random.normals(n, 1, simulator.noise_size(), noise.data());
        const unsigned ends = simulator.step(n, state.data(), action.data(), noise.data(), reward.data());
        scatter(state.data(), n, size, states.data() + first * size);
        for (Index k = 0; k < n; ++k) {
            rewards[first + k] = reward[k];
            terminated[first + k] = ends >> k & 1;
        }
    }
}

void observe_rows(const Simulator& simulator, Reals states, MutableReals observations) {
    const Index size = simulator.state_size(), observation_size = simulator.observation_size();
    const Index n_rows = std::ssize(states) / size;
    Column<double> state = group_array(size), observation = group_array(observation_size);
    for (Index first = 0; first < n_rows; first += kGroup) {
        const Index n = std::min(kGroup, n_rows - first);
        gather(states.data() + first * size, n, size, state.data());
        simulator.observe(n, state.data(), observation.data());
        scatter(observation.data(), n, observation_size, observations.data() + first * observation_size);
    }
}

}  // namespace npgfast
