#include "transport/graph/export_reader.hpp"

#include <utility>

namespace mailferry::graph {
namespace {

constexpr http::JsonPath element_path = "/value/#";
constexpr http::JsonPath data_path = "/value/#/data";

}  // namespace

ExportReader::ExportReader(std::vector<Wanted> wanted, transport::ItemReceiver& receiver)
    : receiver_(receiver) {
    for (auto& item : wanted) {
        auto name = item.item.named->name;
        items_.emplace(std::move(name), State{std::move(item)});
    }
}

bool ExportReader::in_pieces(http::JsonPath path) { return path == data_path; }

Result<void> ExportReader::object_begin(http::JsonPath path) {
    if (path != element_path) return {};
    // Where one was asked for, there is no doubt whose data it is.
    id_ = items_.size() == 1 ? items_.begin()->first : std::string();
    change_key_.clear();
    refusal_ = {};
    has_data_ = has_error_ = streaming_ = skipping_ = broken_ = false;
    bytes_ = bound_ = 0;
    gathered_.clear();
    decoder_.reset();
    return {};
}

Result<void> ExportReader::text(http::JsonPath path, std::string_view value) {
    if (path == "/value/#/itemId") id_ = value;
    if (path == "/value/#/changeKey") change_key_ = value;
    if (path == "/value/#/error/code") {
        refusal_.code = value;
        has_error_ = true;
    }
    if (path == "/value/#/error/message") refusal_.message = value;
    return {};
}

/// The item that the element is about, if it is one of ours and not dealt with yet.
ExportReader::State* ExportReader::element() {
    auto const known = items_.find(id_);
    if (known == items_.end() || known->second.outcome != Outcome::open) return nullptr;
    return &known->second;
}

Result<void> ExportReader::string_piece(http::JsonPath path, std::string_view piece, bool last) {
    if (path != data_path) return {};
    has_data_ = true;
    if (skipping_) return {};
    decoded_.clear();
    bool const sound = decoder_.write(piece, decoded_) && (!last || decoder_.finish());
    if (!sound) {
        // The item is void; if it has begun, nothing that follows ends it.
        skipping_ = broken_ = true;
        gathered_.clear();
        return {};
    }
    bytes_ += decoded_.size();
    return take_bytes();
}

Result<void> ExportReader::take_bytes() {
    if (streaming_) {
        if (bytes_ > bound_) {
            skipping_ = true;
            return {};
        }
        if (!decoded_.empty())
            steps_.push_back({Step::Kind::piece, id_, 0, std::exchange(decoded_, {}), {}});
        return {};
    }
    gathered_.insert(gathered_.end(), decoded_.begin(), decoded_.end());
    auto* const state = id_.empty() ? nullptr : element();
    bool const large = state != nullptr && state->wanted.item.size > gathered_bytes_max / 4 * 3;
    if (!large && bytes_ <= gathered_bytes_max) return {};
    if (state == nullptr) {
        skipping_ = true;
        gathered_ = {};
        return {};
    }
    streaming_ = true;
    bound_ = stream_bytes_max(state->wanted.item.size, state->wanted.bound_factor);
    if (bytes_ > bound_) {
        skipping_ = true;
        gathered_ = {};
        return {};
    }
    steps_.push_back({Step::Kind::begin, id_, bound_, {}, {}});
    steps_.push_back({Step::Kind::piece, id_, 0, std::exchange(gathered_, {}), {}});
    return {};
}

Result<void> ExportReader::object_end(http::JsonPath path) {
    if (path == element_path) finish_element();
    return {};
}

void ExportReader::finish_element() {
    auto* const state = element();
    if (state == nullptr) return;
    if (has_error_ || !has_data_ || broken_) {
        state->outcome = Outcome::refused;
        state->refusal = std::move(refusal_);
        if (!has_error_) state->refusal.code = broken_ ? "damaged base64" : "no data";
        return;
    }
    if (skipping_) {
        state->outcome = streaming_ ? Outcome::outgrown : Outcome::too_large_to_gather;
        return;
    }
    if (!streaming_) {
        steps_.push_back({Step::Kind::begin, id_, bytes_, {}, {}});
        if (bytes_ > 0)
            steps_.push_back({Step::Kind::piece, id_, 0, std::exchange(gathered_, {}), {}});
    }
    steps_.push_back({Step::Kind::end, id_, bytes_, {}, change_key_});
}

awaitable<Result<void>> ExportReader::drain() {
    while (!steps_.empty()) {
        auto step = std::move(steps_.front());
        steps_.pop_front();
        auto const done = co_await carry_out(step);
        if (done) continue;
        receiver_error_ = done.error();
        co_return done.error();
    }
    co_return Result<void>{};
}

awaitable<Result<void>> ExportReader::carry_out(Step& step) {
    if (step.kind == Step::Kind::begin) co_return co_await receiver_.begin(step.bytes);
    if (step.kind == Step::Kind::piece) co_return co_await receiver_.piece(step.data);
    auto& state = items_.find(step.name)->second;
    auto meta = *state.wanted.item.named;
    meta.number = state.wanted.item.number;
    meta.size = step.bytes;
    // The bytes are those of this state, not of the one that was listed.
    if (!step.change_key.empty()) meta.version = std::move(step.change_key);
    auto const ended = co_await receiver_.end(std::move(meta));
    if (ended) state.outcome = Outcome::delivered;
    co_return ended;
}

}  // namespace mailferry::graph
