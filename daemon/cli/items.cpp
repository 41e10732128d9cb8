#include "daemon/cli/verb.hpp"

#include "config/base/units.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/array.hpp>

namespace mailferry::daemon::cli {

namespace json = boost::json;

namespace {

std::string items_text(json::object const& body) {
    using Align = TextTable::Align;
    TextTable table({{"Mailbox"},
                     {"Folder"},
                     {"Item", Align::right},
                     {"Size", Align::right},
                     {"Reason"},
                     {"Kept as"}});
    for_each_object(body, "items", [&](json::object const& item) {
        auto reason = text(item, "reason");
        if (auto const detail = text(item, "text"); !detail.empty())
            reason.append(": ").append(detail);
        table.add({text(item, "mailbox"), text(item, "folder"),
                   std::to_string(number(item, "item")), format_bytes(number(item, "size")), reason,
                   text(item, "exported")});
    });
    if (table.empty()) return "No item has failed.\n";
    auto out = table.text();
    if (truth(body, "more"))
        out.append("... and more: see mailferry report --format csv, or a larger --limit.\n");
    return out;
}

}  // namespace

int run_items(Context const& context) {
    auto target = std::string("/v1/items?failed=1");
    if (auto const limit = context.options.limit) target.append("&limit=" + std::to_string(*limit));
    return ask(context, "GET", target, items_text);
}

int run_retry(Context const& context) {
    return ask(context, "POST", "/v1/retry", [](json::object const& body) {
        auto const count = number(body, "items_planned_again");
        if (count == 0) return std::string("No item has failed: nothing to retry.\n");
        return format_count(count, "item", "items") + " will be tried again.\n";
    });
}

}  // namespace mailferry::daemon::cli
