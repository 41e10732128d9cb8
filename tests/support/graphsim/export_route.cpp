// exportItems, and createImportSession beside it.

#include "tests/support/graphsim/body_check.hpp"
#include "tests/support/graphsim/encoding.hpp"
#include "tests/support/graphsim/graph_host.hpp"
#include "tests/support/graphsim/ids.hpp"
#include "tests/support/graphsim/item_stream.hpp"

namespace graphsim {

namespace {

constexpr std::size_t ids_max = 20;
constexpr std::size_t piece_bytes = 48 * 1024;  // A multiple of 3: no padding inside.

struct Element {
    std::string id;
    std::string change_key;
    LogicalItem item;
    std::uint64_t nonce = 0;
    std::string error_code;
    std::string error_message;
};

Element element_of(Context const& context, std::string const& id) {
    auto const& box = context.mailbox();
    auto const decoded = decode_id(box.seed(), id);
    Element element;
    element.id = id;
    if (!decoded && !looks_like_id(id)) {
        element.error_code = "ErrorInvalidIdMalformed";
        element.error_message = "Id is malformed.";
        return element;
    }
    Item const* item = nullptr;
    if (decoded && decoded->kind == IdKind::item) item = box.item_by_number(decoded->number);
    if (decoded && decoded->kind == IdKind::immutable_item) item = box.item(decoded->number);
    if (item == nullptr) {
        element.error_code = "ErrorItemNotFound";
        element.error_message = "The specified object was not found in the store.";
        return element;
    }
    if (item->corrupt) {
        element.error_code = "ErrorItemCorrupt";
        element.error_message = "The item is corrupt.";
        return element;
    }
    if (item->logical.size > context.world.options.item_bytes_max) {
        element.error_code = "ErrorMessageSizeExceeded";
        element.error_message = "The message exceeds the maximum supported size.";
        return element;
    }
    element.change_key = box.change_key_of(*item);
    element.item = item->logical;
    element.nonce = context.world.options.export_bytes_differ ? context.world.random.next()
                                                              : mixed(item->change, item->key);
    return element;
}

/// The reply's text, made while it is sent.
class ExportText {
public:
    ExportText(std::string head, std::vector<Element> elements)
        : head_(std::move(head)), elements_(std::move(elements)) {}

    bool next(std::string& text) {
        if (!head_.empty()) {
            text += std::exchange(head_, "");
            return true;
        }
        if (writer_) {
            if (more_of_item(text)) return true;
            text += "\"}";
            writer_.reset();
            ++at_;
            return true;
        }
        if (at_ == elements_.size()) {
            text += "]}";
            return false;
        }
        if (at_ > 0) text += ",";
        begin(elements_[at_], text);
        return true;
    }

private:
    void begin(Element const& element, std::string& text) {
        text += "{\"itemId\":" + json::serialize(json::value(element.id));
        if (!element.error_code.empty()) {
            json::object const error{{"code", element.error_code},
                                     {"message", element.error_message}};
            text += ",\"error\":" + json::serialize(error) + "}";
            ++at_;
            return;
        }
        text += ",\"changeKey\":\"" + element.change_key + "\",\"data\":\"";
        writer_ = std::make_unique<ItemStreamWriter>(element.item, element.nonce);
        raw_.clear();
    }
    bool more_of_item(std::string& text) {
        bool more = true;
        while (more && raw_.size() < piece_bytes) more = writer_->next(raw_, piece_bytes);
        auto const whole = more ? raw_.size() / 3 * 3 : raw_.size();
        text += base64(std::string_view(raw_).substr(0, whole));
        raw_.erase(0, whole);
        return more;
    }

    std::string head_;
    std::vector<Element> elements_;
    std::size_t at_ = 0;
    std::unique_ptr<ItemStreamWriter> writer_;
    std::string raw_;
};

}  // namespace

asio::awaitable<Response> export_items(Context& context) {
    context.audit.route = "exportItems";
    require_role(context, {"MailboxItem.Export.All", "MailboxItem.ImportExport.All"});
    expect_no_query(context);
    std::vector<BodyMember> const members{{"itemIds", "Collection(Edm.String)", true, "ItemIds"}};
    auto const body = co_await checked_body(context, "exportItems parameters", members);
    auto const ids = json::value_to<std::vector<std::string>>(body.at("itemIds"));
    if (ids.empty() || ids.size() > ids_max) {
        throw GraphError(400, "ErrorInvalidRequest", "itemIds must hold 1 to 20 ids.");
    }
    std::vector<Element> elements;
    std::uint64_t bytes = 0;
    for (auto const& id : ids) {
        elements.push_back(element_of(context, id));
        bytes += elements.back().item.size;
    }
    if (context.world.options.export_shuffle) {
        for (auto n = elements.size(); n > 1; --n) {
            std::swap(elements[n - 1], elements[context.world.random.below(n)]);
        }
    }
    auto const head = "{\"@odata.context\":\"" +
                      odata_context(context, "Collection(microsoft.graph.exportItemResponse)") +
                      "\",\"value\":[";
    auto const text = std::make_shared<ExportText>(head, std::move(elements));
    Response response;
    response.stream = [text](std::string& piece) { return text->next(piece); };
    response.stream_bytes = bytes * 4 / 3;
    co_return response;
}

asio::awaitable<Response> create_import_session(Context& context) {
    context.audit.route = "createImportSession";
    require_role(context, {"MailboxItem.ImportExport.All"});
    expect_no_query(context);
    co_await expect_no_body(context);
    auto const token = "eyJ" + base64url(secret_bytes(800));
    ImportSession session;
    session.tenant = context.token->tenant;
    session.app = context.token->app;
    session.mailbox = context.mailbox().id();
    session.target =
        "/api/gv1.0/Mailboxes('" + session.mailbox + "')/importItem?authtoken=" + token;
    session.expires = context.now() + seconds(context.world.options.session_seconds);
    context.world.sessions[token] = session;
    json::object const body{
        {"@odata.context", odata_context(context, "microsoft.graph.mailboxItemImportSession")},
        {"importUrl", context.world.import_origin + session.target},
        {"expirationDateTime", iso_time_7(session.expires)}};
    co_return json_response(static_cast<int>(context.world.options.session_status), body);
}

}  // namespace graphsim
