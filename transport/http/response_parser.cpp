#include "transport/http/response_parser.hpp"

#include "config/base/assert.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <optional>

namespace mailferry::http {
namespace {

namespace beast = boost::beast;
using error_code = boost::system::error_code;

std::string text_of(beast::string_view text) { return {text.data(), text.size()}; }

/// Beast's parser, which tells what it finds by calls; they leave it here for next().
class Collector final : public beast::http::basic_parser<false> {
public:
    Collector(ResponseParser::Limits const& limits, bool bodiless) : limits_(limits) {
        header_limit(static_cast<std::uint32_t>(limits.head_bytes_max));
        body_limit(limits.body_bytes_max);
        skip(bodiless);
    }

    /// Where a chunk's size is due. Beast 1.81 asserts there that what it gets to see again holds
    /// five octets, which a slow peer can break. Any rest of a chunked body is that long.
    bool wants_chunk_size() const { return chunked() && chunk_left_ == 0; }
    static constexpr std::size_t chunk_rest_bytes_min = 5;

    ResponseHead head;
    std::string_view piece;
    int version = 11;

private:
    void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                         error_code&) override {}
    void on_response_impl(int code, beast::string_view, int http_version, error_code&) override {
        head.status = code;
        version = http_version;
    }
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                       error_code& error) override {
        // Trailers come this way, too: nobody reads them.
        if (is_header_done()) return;
        // Beast's own limit is on what is presented at once, and fields are taken one by one.
        head_bytes_ += name.size() + value.size() + 4;
        if (head.headers.size() >= limits_.headers_max || head_bytes_ > limits_.head_bytes_max) {
            error = beast::http::error::header_limit;
            return;
        }
        head.headers.push_back({text_of(name), text_of(value)});
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, error_code&) override {
        piece = {body.data(), body.size()};
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code&) override {
        chunk_left_ = size;
    }
    std::size_t on_chunk_body_impl(std::uint64_t left, beast::string_view body,
                                   error_code&) override {
        piece = {body.data(), body.size()};
        chunk_left_ = left - body.size();
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    ResponseParser::Limits const& limits_;
    std::size_t head_bytes_ = 0;
    std::uint64_t chunk_left_ = 0;
};

}  // namespace

class ResponseParser::Impl {
public:
    Impl(Limits limits, bool bodiless) : limits_(limits), bodiless_(bodiless) {
        parser_.emplace(limits_, bodiless_);
    }

    Result<Step> next(std::string_view& input) {
        for (;;) {
            if (parser_->is_header_done() && !head_told_) {
                if (parser_->head.status == 101)
                    return Error{Errc::protocol_error, "the server changed to another protocol"};
                if (parser_->head.status >= 200) {
                    head_told_ = true;
                    return Step(Head{std::move(parser_->head)});
                }
                if (++informational_ > limits_.informational_max)
                    return Error{Errc::protocol_error, "too many informational responses"};
                parser_.emplace(limits_, bodiless_);
            }
            if (parser_->is_done()) return Step(End{keep_alive()});
            if (input.empty()) return Step(NeedMore{});
            if (head_told_ && parser_->wants_chunk_size() &&
                input.size() < Collector::chunk_rest_bytes_min)
                return Step(NeedMore{});
            error_code error;
            parser_->piece = {};
            auto const count =
                parser_->put(boost::asio::const_buffer(input.data(), input.size()), error);
            input.remove_prefix(count);
            if (error == beast::http::error::need_more) return Step(NeedMore{});
            if (error) return failure(error);
            if (!parser_->piece.empty()) return Step(Piece{parser_->piece});
        }
    }

    Result<End> end_of_stream() {
        if (head_told_ && parser_->is_done()) return End{false};
        error_code error = beast::http::error::end_of_stream;
        if (head_told_) parser_->put_eof(error);
        if (error)
            return Error{Errc::connection_lost, head_told_ ? "the response is truncated"
                                                           : "closed before a whole response head"};
        return End{false};
    }

private:
    /// An HTTP/1.0 server that keeps connections says so, and we never asked it to.
    bool keep_alive() const { return parser_->version == 11 && parser_->keep_alive(); }

    Error failure(error_code error) const {
        using Reason = beast::http::error;
        if (error == Reason::body_limit)
            return {Errc::item_too_large, "the response is larger than " +
                                              std::to_string(limits_.body_bytes_max) + " bytes"};
        if (error == Reason::header_limit)
            return {Errc::protocol_error, "the response's head breaks our limits"};
        return {Errc::protocol_error, "this isn't HTTP: " + error.message()};
    }

    Limits const limits_;
    bool const bodiless_;
    std::optional<Collector> parser_;
    bool head_told_ = false;
    int informational_ = 0;
};

ResponseParser::ResponseParser(Limits limits, bool bodiless)
    : impl_(std::make_unique<Impl>(limits, bodiless)) {}
ResponseParser::~ResponseParser() = default;

Result<ResponseParser::Step> ResponseParser::next(std::string_view& input) {
    return impl_->next(input);
}

Result<ResponseParser::End> ResponseParser::end_of_stream() { return impl_->end_of_stream(); }

}  // namespace mailferry::http
