#include "npgfast/sampling/returns.hpp"

namespace npgfast {

void generalized_advantages(Index n_steps, Strided<const double> rewards, Strided<const double> values,
                            Strided<const std::uint8_t> terminated, Strided<const std::uint8_t> truncated,
                            Strided<const double> bootstrap, double gamma, double lambda, Strided<double> advantages) {
    double next_advantage = 0.0;
    for (Index t = n_steps - 1; t >= 0; --t) {
        double next_value = 0.0;
        if (terminated[t]) {
            next_advantage = 0.0;
        } else if (truncated[t] || t == n_steps - 1) {
            next_value = bootstrap[t];
            next_advantage = 0.0;
        } else {
            next_value = values[t + 1];
        }
        next_advantage = (rewards[t] + gamma * next_value - values[t]) + gamma * lambda * next_advantage;
        advantages[t] = next_advantage;
    }
}

}  // namespace npgfast
