#pragma once

/// Answers that aren't 2xx: what the service says, and what that means to us (brief, 2.5 to 2.7).

#include "config/base/error.hpp"
#include "transport/graph/limiter.hpp"
#include "transport/graph/resources.hpp"
#include "transport/http/message.hpp"

#include <chrono>
#include <string>

namespace mailferry::graph {

/// {"error":{"code":…,"message":…}}; bodies of other shapes leave it empty.
class RefusalHandler final : public ReplyHandler {
public:
    void reset() override;
    Result<void> text(http::JsonPath path, std::string_view value) override;
    std::string code;
    std::string inner_code;
    std::string message;
};

/// A refusal as read, or that of one element within a 200.
struct Refusal {
    int status = 0;  ///< 0: of an element.
    std::string code, inner_code = {};
    std::string message;  ///< Untrusted.
    std::optional<std::chrono::milliseconds> retry_after = {};

    bool says(std::string_view wanted) const { return code == wanted || inner_code == wanted; }
};

/// What was asked for when it was refused.
enum class Subject {
    mailbox,        ///< The mailbox itself.
    source_folder,  ///< A folder to read.
    target_folder,  ///< A folder to make or to write to.
    source_item,    ///< An item to read.
    target_item,    ///< An item to store.
};

/// `what` tells what we were doing; it never holds an address with a token.
Error error_of(Refusal const& refusal, Subject subject, std::string what);

/// What a 403 means where `permission` is what the request needs.
Error lacking(Refusal const& refusal, std::string_view permission);

/// The store of changes no longer knows a delta link: list afresh.
bool is_resync(Refusal const& refusal);
/// Worth another try in a moment.
bool is_transient(Refusal const& refusal);

/// What an answer says about load.
Verdict verdict_of(http::ResponseHead const& head, Refusal const& refusal);

}  // namespace mailferry::graph
