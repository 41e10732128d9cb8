#pragma once

#include "store/spool_core.hpp"

#include <memory>

namespace mailferry::store {

/// Takes over a claim in `segment` for an item of `plain_bytes`.
std::unique_ptr<ItemWriter> make_item_writer(SpoolCore& core, std::shared_ptr<Segment> segment,
                                             std::uint64_t item, std::uint64_t plain_bytes,
                                             ItemOwner owner);

}  // namespace mailferry::store
