#pragma once

/// The answer of exportItems, passed on to an item receiver as it comes (brief, 2.5). Elements come
/// in any order, their members too. A small item is gathered, so that its exact size is known
/// before it is begun; a large one goes through in pieces.

#include "transport/graph/refusal.hpp"
#include "transport/http/base64.hpp"
#include "transport/http/json_sink.hpp"
#include "transport/session.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace mailferry::graph {

/// Gathered up to here; more only if the element names its item before its data.
inline constexpr std::uint64_t gathered_bytes_max = 1 << 20;

/// What may come for an item that is listed with `size`: a stream is longer or shorter by a third.
constexpr std::uint64_t stream_bytes_max(std::uint64_t size, std::uint32_t factor) {
    return (size + size / 100 * 35 + 64 * 1024) * factor;
}

class ExportReader final : public http::DrainedHandler {
public:
    struct Wanted {
        transport::ItemRef item;
        std::uint32_t bound_factor = 1;  ///< Doubled after the item outgrew its bound.
    };
    enum class Outcome { open, delivered, refused, outgrown, too_large_to_gather };
    struct State {
        Wanted wanted;
        Outcome outcome = Outcome::open;
        Refusal refusal = {};
    };

    /// `receiver` outlives the reader.
    ExportReader(std::vector<Wanted> wanted, transport::ItemReceiver& receiver);

    bool in_pieces(http::JsonPath path) override;
    Result<void> string_piece(http::JsonPath path, std::string_view piece, bool last) override;
    Result<void> text(http::JsonPath path, std::string_view value) override;
    Result<void> object_begin(http::JsonPath path) override;
    Result<void> object_end(http::JsonPath path) override;
    awaitable<Result<void>> drain() override;

    /// By name; what is still open wasn't mentioned in the answer.
    std::map<std::string, State, std::less<>> const& items() const { return items_; }
    /// The receiver's own error, which isn't the service's.
    std::optional<Error> const& receiver_error() const { return receiver_error_; }

private:
    /// What drain() has to do, in order.
    struct Step {
        enum class Kind { begin, piece, end } kind;
        std::string name;
        std::uint64_t bytes = 0;  ///< begin: bound or size. end: size.
        std::vector<std::byte> data = {};
        std::string change_key = {};
    };

    State* element();
    Result<void> take_bytes();
    void finish_element();
    awaitable<Result<void>> carry_out(Step& step);

    transport::ItemReceiver& receiver_;
    std::map<std::string, State, std::less<>> items_;
    std::deque<Step> steps_;
    std::optional<Error> receiver_error_;
    // The element being read
    std::string id_, change_key_;
    Refusal refusal_;
    bool has_data_ = false, has_error_ = false, streaming_ = false, skipping_ = false;
    bool broken_ = false;  ///< Not base64.
    std::uint64_t bytes_ = 0, bound_ = 0;
    std::vector<std::byte> gathered_;
    std::vector<std::byte> decoded_;
    http::Base64Decoder decoder_;
};

}  // namespace mailferry::graph
