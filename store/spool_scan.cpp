#include "store/spool_scan.hpp"

#include "store/crc32c.hpp"
#include "store/little_endian.hpp"
#include "store/spool_reader.hpp"

#include <algorithm>
#include <cstring>

namespace mailferry::store {
namespace {

constexpr std::size_t window_bytes = 1U << 20;

/// A sliding window over a file: read_at in pieces of window_bytes, each byte read once.
class FileWindow {
public:
    FileWindow(SegmentFile& file, std::uint64_t file_bytes)
        : file_(file), file_bytes_(file_bytes) {}

    /// `bytes` bytes at `offset`, or as many as the file has.
    awaitable<Result<std::span<std::byte const>>> at(std::uint64_t offset, std::uint64_t bytes) {
        bytes = std::min(bytes, file_bytes_ - std::min(offset, file_bytes_));
        if (offset < begin_ || offset + bytes > begin_ + size_) {
            auto const loaded = co_await load(offset, bytes);
            if (!loaded) co_return loaded.error();
        }
        auto const skipped = static_cast<std::size_t>(offset - begin_);
        auto const present = std::min<std::uint64_t>(bytes, size_ - skipped);
        co_return std::span<std::byte const>(buffer_.data() + skipped,
                                             static_cast<std::size_t>(present));
    }

private:
    awaitable<Result<void>> load(std::uint64_t offset, std::uint64_t bytes) {
        auto const wanted = std::max<std::uint64_t>(bytes, window_bytes);
        auto const room = static_cast<std::size_t>(std::min(wanted, file_bytes_ - offset));
        buffer_.at_least(room);
        begin_ = offset;
        size_ = 0;
        while (size_ < room) {
            auto const piece = std::min(room - size_, window_bytes);
            auto const count =
                co_await file_.read_at(offset + size_, {buffer_.data() + size_, piece});
            if (!count) co_return count.error();
            size_ += *count;
            if (*count < piece) break;
        }
        co_return Result<void>();
    }

    SegmentFile& file_;
    std::uint64_t const file_bytes_;
    ScratchBuffer buffer_;
    std::uint64_t begin_ = 0;
    std::size_t size_ = 0;
};

bool all_zero(std::span<std::byte const> bytes) {
    return bytes.empty() || (bytes[0] == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class Scan {
public:
    Scan(SegmentFile& file, SegmentHeader const& header, std::uint64_t file_bytes)
        : window_(file, file_bytes),
          checksum_seed_(crc32c(header.segment_uuid)),
          file_bytes_(file_bytes) {}

    awaitable<Result<ScanOutcome>> run() {
        while (position_ < file_bytes_) {
            auto const passed = co_await step();
            if (!passed) co_return passed.error();
        }
        close_gap(file_bytes_);
        co_return std::move(outcome_);
    }

private:
    awaitable<Result<void>> step() {
        auto const head = co_await window_.at(position_, frame_header_bytes);
        if (!head) co_return head.error();
        auto const decoded = decode_frame_header(*head, position_, checksum_seed_);
        if (!decoded.good()) {
            co_return co_await pass_over(decoded.fault);
        }
        auto const& header = decoded.header;
        auto const frame = co_await window_.at(position_, frame_bytes(header.cipher_bytes));
        if (!frame) co_return frame.error();
        if (!frame_body_intact(header, *frame)) {
            open_gap("frame body has a wrong checksum", false);
            position_ = std::min(header.end(), file_bytes_);
            co_return Result<void>();
        }
        close_gap(position_);
        ++outcome_.frames;
        outcome_.durable_upto = std::max(outcome_.durable_upto, header.durable_upto);
        position_ = outcome_.end = header.end();
        co_return Result<void>();
    }

    awaitable<Result<void>> pass_over(std::string_view fault) {
        auto const next = std::min(round_to_batch(position_ + 1), file_bytes_);
        auto const block = co_await window_.at(position_, next - position_);
        if (!block) co_return block.error();
        open_gap(fault, all_zero(*block));
        position_ = next;
        co_return Result<void>();
    }

    void open_gap(std::string_view reason, bool blank) {
        if (!in_gap_) outcome_.gaps.push_back({position_, position_, reason, true});
        in_gap_ = true;
        if (!blank && outcome_.gaps.back().blank) {
            outcome_.gaps.back().blank = false;
            outcome_.gaps.back().reason = reason;
        }
    }
    void close_gap(std::uint64_t end) {
        if (in_gap_) outcome_.gaps.back().end = end;
        in_gap_ = false;
    }

    FileWindow window_;
    std::uint32_t const checksum_seed_;
    std::uint64_t const file_bytes_;
    std::uint64_t position_ = segment_header_bytes;
    bool in_gap_ = false;
    ScanOutcome outcome_;
};

}  // namespace

awaitable<Result<ScanOutcome>> scan_segment(SegmentFile& file, SegmentHeader const& header,
                                            std::uint64_t file_bytes) {
    Scan scan(file, header, file_bytes);
    co_return co_await scan.run();
}

awaitable<Result<bool>> is_sealed(SegmentFile& file, SegmentHeader const& header,
                                  std::uint64_t file_bytes) {
    if (file_bytes % batch_alignment != 0) co_return false;
    // The largest seal and its pad; the seal stands at a boundary, alone in its batch.
    constexpr auto reach = round_to_batch(
        frame_bytes(seal_body_fixed_bytes + items_per_segment_max * seal_entry_bytes) +
        pad_bytes_max);
    auto const seed = crc32c(header.segment_uuid);
    auto const begin =
        std::max<std::uint64_t>(segment_header_bytes, file_bytes - std::min(file_bytes, reach));
    FileWindow window(file, file_bytes);
    // Most seals are small: look from the end.
    for (auto at = file_bytes; at > begin;) {
        at -= batch_alignment;
        auto const head = co_await window.at(at, frame_header_bytes);
        if (!head) co_return head.error();
        auto const decoded = decode_frame_header(*head, at, seed);
        if (!decoded.good() || decoded.header.type != FrameType::seal) continue;
        auto const seal = co_await window.at(at, frame_bytes(decoded.header.cipher_bytes));
        if (!seal) co_return seal.error();
        if (!frame_body_intact(decoded.header, *seal)) co_return false;
        auto const behind = decoded.header.end();
        auto const last = co_await window.at(behind, frame_header_bytes);
        if (!last) co_return last.error();
        auto const pad = decode_frame_header(*last, behind, seed);
        co_return pad.good() && pad.header.type == FrameType::pad&& pad.header.end() == file_bytes;
    }
    co_return false;
}

}  // namespace mailferry::store
