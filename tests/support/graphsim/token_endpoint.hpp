#pragma once

/// The authority: /{tenant}/oauth2/v2.0/token and the metadata that sign-in libraries read first.

#include "tests/support/graphsim/context.hpp"

#include <map>
#include <string>

namespace graphsim {

asio::awaitable<Response> answer_authority(Context& context);

/// Who signs in, for limits and audit; called before the body is read.
void identify_authority(Context& context);

/// A refusal as the authority words it.
struct TokenError : std::exception {
    TokenError(int http_status, std::string error_name, int aadsts_code, std::string text)
        : status(http_status),
          error(std::move(error_name)),
          code(aadsts_code),
          message(std::move(text)) {}
    char const* what() const noexcept override { return message.c_str(); }

    int status;
    std::string error;
    int code;
    std::string message;
};

/// Throws TokenError unless the assertion proves a certificate of the app. `endpoint` is the
/// audience.
void check_assertion(World& world, App const& app, std::string_view assertion,
                     std::string const& endpoint);

}  // namespace graphsim
