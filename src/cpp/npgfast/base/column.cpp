#include "npgfast/base/column.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace npgfast {

namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21, kLeastKept = std::size_t{1} << 15,
                      kMostKept = std::size_t{1} << 28, kMostBlocks = 64;

struct KeptBlock {
    void* memory;
    std::size_t n_bytes;
};

/// Freed blocks, the oldest first. It outlives static objects, as arrays may be freed after them.
struct Kept {
    std::mutex guard;
    std::vector<KeptBlock> blocks;
    std::size_t n_bytes = 0;
};

Kept& kept() {
    static Kept* const blocks = new Kept;
    return *blocks;
}

bool is_large(std::size_t n_bytes) { return n_bytes >= kLeastKept; }
bool is_huge(std::size_t n_bytes) { return n_bytes >= 2 * kHugePage; }

/// Whole pages, or eighths of a power of two, so that blocks of about a size can stand in for each other.
std::size_t rounded(std::size_t n_bytes) {
    const std::size_t page = is_huge(n_bytes) ? kHugePage : std::bit_floor(n_bytes) / 8;
    return (n_bytes + page - 1) / page * page;
}

std::align_val_t alignment(std::size_t n_bytes) {
    return std::align_val_t{is_huge(n_bytes) ? kHugePage : is_large(n_bytes) ? std::size_t{4096} : std::size_t{64}};
}

/// Keeps a block of whole pages in place of the oldest ones; whether it did.
bool keep(void* memory, std::size_t n_bytes) {
    Kept& all = kept();
    const std::unique_lock lock(all.guard, std::try_to_lock);
    if (!lock) return false;
    try {
        all.blocks.push_back({memory, n_bytes});
    } catch (const std::bad_alloc&) {
        return false;
    }
    all.n_bytes += n_bytes;
    while (all.n_bytes > kMostKept || all.blocks.size() > kMostBlocks) {
        const KeptBlock oldest = all.blocks.front();
        all.blocks.erase(all.blocks.begin());
        all.n_bytes -= oldest.n_bytes;
        ::operator delete(oldest.memory, alignment(oldest.n_bytes));
    }
    return true;
}

}  // namespace

void* allocate_block(std::size_t n_bytes) {
    if (!is_large(n_bytes)) return ::operator new(n_bytes, alignment(n_bytes));
    n_bytes = rounded(n_bytes);
    Kept& all = kept();
    // A lock that is not free at once, be it that of a thread that a fork left behind, is not waited for.
    if (const std::unique_lock lock(all.guard, std::try_to_lock); lock) {
        const auto found = std::find_if(all.blocks.rbegin(), all.blocks.rend(),
                                        [&](const KeptBlock& block) { return block.n_bytes == n_bytes; });
        if (found != all.blocks.rend()) {
            void* const memory = found->memory;
            all.n_bytes -= n_bytes;
            all.blocks.erase(std::next(found).base());
            return memory;
        }
    }
    void* const memory = ::operator new(n_bytes, alignment(n_bytes));
#if defined(__linux__)
    if (is_huge(n_bytes)) madvise(memory, n_bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

void free_block(void* block, std::size_t n_bytes) noexcept {
    if (is_large(n_bytes)) {
        n_bytes = rounded(n_bytes);
        if (n_bytes <= kMostKept && keep(block, n_bytes)) return;
    }
    ::operator delete(block, alignment(n_bytes));
}

}  // namespace npgfast
