#pragma once

#include <new>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Uninitialised memory of a cache line's alignment; nothing is thrown but std::bad_alloc.
///
/// Blocks of 4 MB and more are made of huge pages where the system gives them. Freed blocks of 32 kB and more, 64 of
/// them and 256 MB at most, are kept for the next of the same size: the system clears fresh pages, which takes longer
/// than to play the steps that fill them (measured: 0.5 ns a byte in pages of 4 kB, 0.17 in huge ones, against 0.25 for
/// the steps).
void* allocate_block(std::size_t n_bytes);
void free_block(void* block, std::size_t n_bytes) noexcept;

template <class T>
struct ColumnAllocator {
    using value_type = T;

    ColumnAllocator() = default;
    template <class U>
    explicit ColumnAllocator(const ColumnAllocator<U>&) {}

    T* allocate(std::size_t n) {
        if (n > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
        return static_cast<T*>(allocate_block(n * sizeof(T)));
    }
    void deallocate(T* block, std::size_t n) { free_block(block, n * sizeof(T)); }
    template <class U>
    void construct(U* place) {
        ::new (static_cast<void*>(place)) U;
    }
    template <class U, class... Given>
    void construct(U* place, Given&&... given) {
        ::new (static_cast<void*>(place)) U(static_cast<Given&&>(given)...);
    }
    bool operator==(const ColumnAllocator&) const { return true; }
};

/// A vector whose `resize` leaves new numbers undefined.
template <class T>
using Column = std::vector<T, ColumnAllocator<T>>;

}  // namespace npgfast
