#include "npgfast/problems/simulator.hpp"

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

}  // namespace npgfast
