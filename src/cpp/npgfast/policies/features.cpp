#include "npgfast/policies/features.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

void Normalizer::apply(Index n, Index size, const double* observations, double* normalized) const {
    if (mean.empty()) {
        std::copy_n(observations, size * kGroup, normalized);
        return;
    }
    for (Index j = 0; j < size; ++j)
        for (Index lane = j * kGroup; lane < j * kGroup + n; lane += kWidth)
            store(normalized + lane,
                  clamp((load(observations + lane) - mean[j]) * scale[j], all_lanes(-limit), all_lanes(limit)));
}

Index FeatureMap::tile(Index tiling, const double* x, Index lane) const {
    const Index dim = observation_size, n_tilings = integers[0];
    const std::int32_t* n_tiles = integers.data() + 1;
    const double *low = reals.data(), *per_unit = low + dim, *displacement = per_unit + dim + tiling * dim;
    Index tile = 0;
    for (Index j = 0; j < dim; ++j) {
        const double position = (x[j * kGroup + lane] - low[j]) * per_unit[j] + displacement[j];
        const auto last = static_cast<double>(n_tiles[j] - 1);
        const double place = position > 0.0 ? std::min(std::floor(position), last) : 0.0;  // of a NaN: 0
        tile = tile * n_tiles[j] + static_cast<Index>(place);
    }
    return tiling * (n_features / n_tilings) + tile;
}

void FeatureMap::evaluate(Index n, const double* x, double* features) const {
    const auto set_bias = [&](Index row) { std::fill_n(features + row * kGroup, kGroup, 1.0); };
    switch (kind) {
        case FeatureKind::linear:
            std::copy_n(x, observation_size * kGroup, features);
            if (integers[0]) set_bias(observation_size);
            return;
        case FeatureKind::monomials: {
            const std::int32_t* parent = integers.data();
            const std::int32_t* variable = parent + (n_features - 1);
            set_bias(0);
            for (Index k = 1; k < n_features; ++k)
                for (Index lane = 0; lane < n; lane += kWidth)
                    store(features + k * kGroup + lane, load(features + parent[k - 1] * kGroup + lane) *
                                                            load(x + variable[k - 1] * kGroup + lane));
            return;
        }
        case FeatureKind::waves: {
            const Index n_waves = n_features - integers[0], dim = observation_size;
            const double* offset = reals.data() + n_waves * dim;
            for (Index k = 0; k < n_waves; ++k)
                for (Index lane = 0; lane < n; lane += kWidth) {
                    Lanes phase{};
                    for (Index j = 0; j < dim; ++j) phase += reals[k * dim + j] * load(x + j * kGroup + lane);
                    store(features + k * kGroup + lane, sine_cosine(phase + offset[k]).sine);
                }
            if (integers[0]) set_bias(n_waves);
            return;
        }
        case FeatureKind::tiles:
            std::fill_n(features, n_features * kGroup, 0.0);
            for (Index lane = 0; lane < n; ++lane)
                for (Index tiling = 0; tiling < integers[0]; ++tiling)
                    features[tile(tiling, x, lane) * kGroup + lane] = 1.0;
            return;
    }
}

}  // namespace npgfast
