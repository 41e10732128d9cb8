#include "transport/http/json_stream.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <optional>
#include <vector>

namespace mailferry::http {

namespace json = boost::json;
using error_code = boost::system::error_code;

namespace {

/// Any failure: the parser only wants to know that there is one.
error_code stop_code() { return make_error_code(boost::system::errc::operation_canceled); }

void append_key(std::string& path, std::string_view key) {
    path += '/';
    for (char const c : key) {
        if (c == '~')
            path += "~0";
        else if (c == '/')
            path += "~1";
        else if (c == '#')
            path += "~2";
        else
            path += c;
    }
}

/// What boost.json's parser calls; keeps the path and assembles what comes in parts.
class Events {
public:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = unlimited, max_array_size = unlimited,
                                 max_key_size = unlimited, max_string_size = unlimited;

    Events(JsonHandler& handler, JsonLimits const& limits) : handler_(handler), limits_(limits) {}

    std::optional<Error> const& failure() const { return failure_; }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& error) {
        if (!begin_value(error) || !tell(handler_.object_begin(path_), error)) return false;
        levels_.push_back({path_.size(), false});
        return true;
    }
    bool on_object_end(std::size_t, error_code& error) {
        leave();
        return end_value(tell(handler_.object_end(path_), error));
    }
    bool on_array_begin(error_code& error) {
        if (!begin_value(error) || !tell(handler_.array_begin(path_), error)) return false;
        levels_.push_back({path_.size(), true});
        path_ += "/#";
        return true;
    }
    bool on_array_end(std::size_t, error_code& error) {
        leave();
        return end_value(tell(handler_.array_end(path_), error));
    }
    bool on_key_part(json::string_view part, std::size_t size, error_code& error) {
        if (size > limits_.key_bytes_max) return refuse("a key is too long", error);
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t size, error_code& error) {
        if (!on_key_part(part, size, error)) return false;
        append_key(path_, key_);
        key_.clear();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t size, error_code& error) {
        return take_string({part.data(), part.size()}, size, false, error);
    }
    bool on_string(json::string_view part, std::size_t size, error_code& error) {
        if (!take_string({part.data(), part.size()}, size, true, error)) return false;
        in_string_ = false;
        return end_value(true);
    }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, error_code& error) {
        return end_value(tell(handler_.integer(path_, value), error));
    }
    bool on_uint64(std::uint64_t value, json::string_view, error_code& error) {
        if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return on_int64(static_cast<std::int64_t>(value), {}, error);
        return on_double(static_cast<double>(value), {}, error);
    }
    bool on_double(double value, json::string_view, error_code& error) {
        return end_value(tell(handler_.real(path_, value), error));
    }
    bool on_bool(bool value, error_code& error) {
        return end_value(tell(handler_.boolean(path_, value), error));
    }
    bool on_null(error_code& error) { return end_value(tell(handler_.null(path_), error)); }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    struct Level {
        std::size_t path_bytes;  ///< Of the container itself.
        bool is_array;
    };

    bool tell(Result<void> told, error_code& error) {
        if (told) return true;
        failure_ = told.error();
        error = stop_code();
        return false;
    }
    bool refuse(char const* reason, error_code& error) {
        return tell(Error{Errc::protocol_error, std::string("JSON: ") + reason}, error);
    }
    bool begin_value(error_code& error) {
        return levels_.size() < limits_.depth_max || refuse("too deep", error);
    }
    void leave() {
        path_.resize(levels_.back().path_bytes);
        levels_.pop_back();
    }
    /// Within an object the key goes with its value.
    bool end_value(bool good) {
        if (!levels_.empty() && !levels_.back().is_array) path_.resize(levels_.back().path_bytes);
        return good;
    }
    bool take_string(std::string_view part, std::size_t size, bool last, error_code& error) {
        if (!in_string_) {
            in_string_ = true;
            in_pieces_ = handler_.in_pieces(path_);
            text_.clear();
        }
        if (in_pieces_) return tell(handler_.string_piece(path_, part, last), error);
        if (size > limits_.text_bytes_max) return refuse("a string is too long", error);
        if (last && text_.empty()) return tell(handler_.text(path_, part), error);
        text_ += part;
        return !last || tell(handler_.text(path_, text_), error);
    }

    JsonHandler& handler_;
    JsonLimits const& limits_;
    std::string path_, key_, text_;
    std::vector<Level> levels_;
    bool in_string_ = false, in_pieces_ = false;
    std::optional<Error> failure_;
};

json::parse_options options_for(JsonLimits const& limits) {
    json::parse_options options;
    options.max_depth = limits.depth_max;
    return options;
}

}  // namespace

class JsonStream::Impl {
public:
    Impl(JsonHandler& handler, JsonLimits limits)
        : limits_(limits), parser_(options_for(limits_), handler, limits_) {}

    Result<void> feed(std::string_view piece, bool more) {
        if (failure_) return *failure_;
        if (piece.size() > limits_.total_bytes_max - total_bytes_)
            return fail(
                {Errc::protocol_error,
                 "JSON: larger than " + std::to_string(limits_.total_bytes_max) + " bytes"});
        error_code error;
        auto const count = parser_.write_some(more, piece.data(), piece.size(), error);
        total_bytes_ += count;
        if (parser_.handler().failure()) return fail(*parser_.handler().failure());
        if (error) return fail(not_json(error.message()));
        // Behind the document's end only white space may come.
        auto const rest = piece.substr(count);
        if (rest.find_first_not_of(" \t\r\n") != rest.npos)
            return fail(not_json("more behind its end"));
        total_bytes_ += rest.size();
        return {};
    }

private:
    Error not_json(std::string const& reason) const {
        return {Errc::protocol_error, "JSON: byte " + std::to_string(total_bytes_) + ": " + reason};
    }
    Error fail(Error error) {
        failure_ = error;
        return error;
    }

    JsonLimits const limits_;
    json::basic_parser<Events> parser_;
    std::uint64_t total_bytes_ = 0;
    std::optional<Error> failure_;
};

JsonStream::JsonStream(JsonHandler& handler, JsonLimits limits)
    : impl_(std::make_unique<Impl>(handler, limits)) {}
JsonStream::~JsonStream() = default;

Result<void> JsonStream::write(std::string_view piece) { return impl_->feed(piece, true); }

Result<void> JsonStream::finish() { return impl_->feed({}, false); }

}  // namespace mailferry::http
