#pragma once

/// What the reader of a report does about a failure: one sentence per error code.

#include "config/base/error.hpp"

#include <string_view>

namespace mailferry::daemon {

/// Pure and total.
std::string_view next_step(Errc code);
/// By the code's name as the ledger keeps it; general advice for an unknown one.
std::string_view next_step(std::string_view reason);
/// The code that an error's text (Error::describe(), as the ledger keeps it for a mailbox) begins
/// with; nothing if it begins otherwise.
std::optional<Errc> code_in(std::string_view described_error);

}  // namespace mailferry::daemon
