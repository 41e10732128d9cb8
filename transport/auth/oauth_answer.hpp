#pragma once

/// What a token endpoint answers, and what it means.

#include "config/base/error.hpp"
#include "config/base/secret.hpp"
#include "transport/http/json_stream.hpp"
#include "transport/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::oauth {

inline constexpr std::size_t token_bytes_max = 32 * 1024;

/// Reads `{"token_type":"Bearer","expires_in":3599,"access_token":"..."}`. The token goes straight
/// into a Secret.
class GrantReader final : public http::JsonHandler {
public:
    GrantReader();
    bool in_pieces(http::JsonPath path) override;
    Result<void> string_piece(http::JsonPath path, std::string_view piece, bool last) override;
    Result<void> text(http::JsonPath path, std::string_view value) override;
    Result<void> integer(http::JsonPath path, std::int64_t value) override;

    /// After a whole answer: the token and its life. protocol_error if one is missing.
    struct Grant {
        Secret token;
        std::chrono::seconds life;
    };
    Result<Grant> take();

private:
    Secret token_;
    std::size_t token_bytes_ = 0;
    bool has_token_ = false, is_bearer_ = false;
    std::optional<std::int64_t> life_s_;
};

/// Reads `{"error":"invalid_client","error_description":"AADSTS...","error_codes":[...], ...}`.
class RefusalReader final : public http::JsonHandler {
public:
    Result<void> text(http::JsonPath path, std::string_view value) override;
    Result<void> integer(http::JsonPath path, std::int64_t value) override;

    std::vector<std::int64_t> const& codes() const { return codes_; }
    /// True if the service found our assertion's times wrong: the clocks differ.
    bool blames_clock() const;
    /// What it means and what cures it. `status` decides where the codes say nothing.
    Error error(int status) const;

private:
    std::string error_, description_, trace_id_, correlation_id_;
    std::vector<std::int64_t> codes_;
};

}  // namespace mailferry::oauth
