#include "transport/graph/rights_check.hpp"

#include "transport/graph/paths.hpp"

namespace mailferry::graph {
namespace {

/// Reads nothing.
class Unread final : public ReplyHandler {
public:
    void reset() override {}
};

struct Probe {
    std::string method, url, body;
    std::string_view permission;
};

/// Adds each permission that is missing: any other refusal than a 403 was made by somebody who may
/// ask.
awaitable<Result<void>> ask_all(Api& api, std::vector<Probe> probes, std::vector<Error>& missing) {
    for (auto& probe : probes) {
        Unread unread;
        Call call;
        call.method = std::move(probe.method);
        call.url = std::move(probe.url);
        call.body = std::move(probe.body);
        auto const answer = co_await api.call(std::move(call), unread);
        if (!answer) co_return answer.error();
        if (answer->status == 403) missing.push_back(lacking(answer->refusal, probe.permission));
    }
    co_return Result<void>{};
}

Probe lists_folders(std::string_view mailbox_id, std::string_view permission) {
    return {"GET", paths::top_folders(mailbox_id) + "?$top=1", "", permission};
}

Probe lists_items(std::string_view mailbox_id) {
    return {"GET", paths::items(mailbox_id, "inbox") + "?$top=1", "", "MailboxItem.Read.All"};
}

}  // namespace

awaitable<Result<std::vector<Error>>> missing_source_rights(Api& api, std::string mailbox_id) {
    std::vector<Probe> probes;
    probes.push_back(lists_folders(mailbox_id, "MailboxFolder.Read.All"));
    probes.push_back(lists_items(mailbox_id));
    // An id that no item has: its absence shows within a good answer.
    probes.push_back({"POST", paths::mailbox(mailbox_id) + "/exportItems",
                      "{\"itemIds\":[\"AAMkAA==\"]}", "MailboxItem.Export.All"});
    std::vector<Error> missing;
    auto const asked = co_await ask_all(api, std::move(probes), missing);
    if (!asked) co_return asked.error();
    co_return missing;
}

awaitable<Result<std::vector<Error>>> missing_target_rights(Api& api, ImportSessions& sessions,
                                                            std::string mailbox_id) {
    std::vector<Probe> probes;
    // A change of nothing.
    probes.push_back(
        {"PATCH", paths::folder(mailbox_id, "inbox"), "{}", "MailboxFolder.ReadWrite.All"});
    probes.push_back(lists_items(mailbox_id));
    std::vector<Error> missing;
    auto const asked = co_await ask_all(api, std::move(probes), missing);
    if (!asked) co_return asked.error();
    auto const session = co_await sessions.get(std::move(mailbox_id));
    bool const refused = !session && session.error().code == Errc::mailbox_refused;
    if (!session && !refused) co_return session.error();
    if (refused) missing.push_back(session.error());
    co_return missing;
}

}  // namespace mailferry::graph
