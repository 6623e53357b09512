#pragma once

#include <vector>

#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

struct EndComponents {
    /// (S,) a number shared by the states of an end component, distinct elsewhere
    std::vector<std::int32_t> component;
    std::vector<std::uint8_t> internal;  ///< (S*A,) 1 for the actions that can be taken for ever inside a component
    std::int32_t n_components = 0;
};

/// The maximal end components of an MDP among the rows that `usable` marks: sets of states in which an episode can be
/// kept for ever by usable actions. Rows with termination mass, forbidden rows and empty rows are never usable.
/// Cost: O((nnz + S A) S) at worst, a few linear passes in practice, on the calling thread; a search goes from state to
/// state and is bound by the latency of those that its entries lead to.
/// Source: de Alfaro 1997, algorithm 3.1; Tarjan 1972 for the strongly connected components.
EndComponents end_components(const TabularMdp& mdp, const std::vector<std::uint8_t>& usable);

}  // namespace npgfast
