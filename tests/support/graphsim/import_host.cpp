#include "tests/support/graphsim/import_host.hpp"

#include "tests/support/graphsim/graph_host.hpp"
#include "tests/support/graphsim/ids.hpp"
#include "tests/support/graphsim/item_stream.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace graphsim {

namespace {

constexpr std::size_t folder_items_max = 1'000'000;

[[noreturn]] void refuse(int status, std::string code, std::string text) {
    throw GraphError(status, std::move(code), std::move(text));
}

/// Receives the members of the body while it arrives; Data goes straight into the item's reader.
class BodyHandler {
public:
    static constexpr std::size_t max_object_size = 16;
    static constexpr std::size_t max_array_size = 16;
    static constexpr std::size_t max_key_size = 256;
    static constexpr std::size_t max_string_size = std::size_t(-1);

    using error_code = boost::system::error_code;
    using text = json::string_view;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        if (++depth_ > 1) wrong_type();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        --depth_;
        return true;
    }
    bool on_array_begin(error_code&) {
        wrong_type();
        return true;
    }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(text part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(text part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        member_ = std::exchange(key_, "");
        bool const known = member_ == "FolderId" || member_ == "Mode" || member_ == "Data" ||
                           member_ == "ItemId" || member_ == "ChangeKey";
        if (!known) problem("The member '" + member_ + "' is not known.");
        if (!seen_.insert(member_).second) problem("The member '" + member_ + "' comes twice.");
        return true;
    }
    bool on_string_part(text part, std::size_t, error_code&) {
        take({part.data(), part.size()});
        return true;
    }
    bool on_string(text part, std::size_t, error_code&) {
        if (depth_ == 0) wrong_type();
        take({part.data(), part.size()});
        return true;
    }
    bool on_number_part(text, error_code&) { return true; }
    bool on_int64(std::int64_t, text, error_code&) { return wrong_type(); }
    bool on_uint64(std::uint64_t, text, error_code&) { return wrong_type(); }
    bool on_double(double, text, error_code&) { return wrong_type(); }
    bool on_bool(bool, error_code&) { return wrong_type(); }
    bool on_null(error_code&) { return wrong_type(); }
    bool on_comment_part(text, error_code&) { return true; }
    bool on_comment(text, error_code&) { return true; }

    bool has(std::string const& member) const { return seen_.contains(member); }
    std::string const& value(std::string const& member) const {
        static std::string const none;
        auto const found = values_.find(member);
        return found == values_.end() ? none : found->second;
    }
    std::string const& first_problem() const { return problem_; }
    bool base64_right() const { return base64_right_ && decoder_.complete(); }
    ItemStreamReader& reader() { return reader_; }

private:
    bool wrong_type() {
        problem("The member '" + member_ + "' is not of type Edm.String.");
        return true;
    }
    void problem(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }
    void take(std::string_view part) {
        if (member_ != "Data") {
            auto& value = values_[member_];
            if (value.size() < 4096) value += part;
            return;
        }
        decoded_.clear();
        if (!decoder_.add(part, decoded_)) base64_right_ = false;
        if (base64_right_) reader_.add(decoded_);
    }

    int depth_ = 0;
    std::string key_, member_, problem_, decoded_;
    std::set<std::string> seen_;
    std::map<std::string, std::string> values_;
    Base64Decoder decoder_;
    bool base64_right_ = true;
    ItemStreamReader reader_;
};

void check_session(Context& context) {
    if (context.request.has_header("authorization")) {
        context.world.audit.violation("authorization on importUrl", context.audit);
        refuse(400, "ErrorInvalidRequest", "The URL is pre-authorised: send no Authorization.");
    }
    if (context.session == nullptr || context.session->target != context.request.target) {
        refuse(403, "ErrorAccessDenied", "The authorization token is not valid for this URL.");
    }
    if (context.session->expires <= context.now()) {
        refuse(401, "ErrorInvalidAuthenticationToken", "The import session has expired.");
    }
    if (context.request.method != "POST") {
        refuse(405, "ErrorInvalidRequest", "Specified HTTP method is not allowed.");
    }
    if (!context.request.header("content-type").starts_with("application/json")) {
        refuse(415, "UnsupportedMediaType", "The content type must be application/json.");
    }
}

[[noreturn]] void refuse_size(Options const& options) {
    refuse(static_cast<int>(options.too_large_status), "ErrorMessageSizeExceeded",
           "The message exceeds the maximum supported size.");
}

asio::awaitable<void> read_body(Context& context, BodyHandler& handler,
                                json::basic_parser<BodyHandler>& parser) {
    auto const& options = context.world.options;
    boost::system::error_code error;
    for (;;) {
        auto const piece = co_await context.request.body->next();
        if (piece.empty()) break;
        if (error) continue;
        auto const used = parser.write_some(true, piece.data(), piece.size(), error);
        if (!error && used < piece.size()) error = json::error::extra_data;
        if (handler.reader().bytes() > options.item_bytes_max) refuse_size(options);
    }
    if (!error) parser.write_some(false, nullptr, 0, error);
    if (error) refuse(400, "ErrorInvalidRequest", "Unable to read JSON request payload.");
}

bool is_update(BodyHandler const& body) {
    if (!body.first_problem().empty()) refuse(400, "ErrorInvalidRequest", body.first_problem());
    for (auto const* name : {"FolderId", "Mode", "Data"}) {
        if (!body.has(name)) {
            refuse(400, "ErrorInvalidRequest",
                   std::string("The member '") + name + "' is required.");
        }
    }
    auto const& mode = body.value("Mode");
    if (mode != "create" && mode != "update") {
        refuse(400, "ErrorInvalidRequest", "Mode must be create or update.");
    }
    bool const update = mode == "update";
    for (auto const* name : {"ItemId", "ChangeKey"}) {
        if (body.has(name) != update) {
            refuse(400, "ErrorInvalidRequest",
                   std::string("The member '") + name + "' belongs to update, and only there.");
        }
    }
    return update;
}

Folder const& folder_of(Mailbox const& box, std::string const& id) {
    auto const decoded = decode_id(box.seed(), id);
    if (!decoded && !looks_like_id(id)) {
        refuse(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    auto const* folder =
        decoded && decoded->kind == IdKind::folder ? box.folder(decoded->number) : nullptr;
    if (folder == nullptr || folder->search) {
        refuse(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.");
    }
    return *folder;
}

ItemKey item_to_update(Context const& context, Folder const& folder, BodyHandler const& body) {
    auto const& box = context.mailbox();
    auto const& id = body.value("ItemId");
    auto const decoded = decode_id(box.seed(), id);
    Item const* item = nullptr;
    if (decoded && decoded->kind == IdKind::item) item = box.item_by_number(decoded->number);
    if (decoded && decoded->kind == IdKind::immutable_item) item = box.item(decoded->number);
    if (item == nullptr || item->folder != folder.key) {
        refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.");
    }
    if (box.change_key_of(*item) != body.value("ChangeKey")) {
        refuse(static_cast<int>(context.world.options.conflict_status), "ErrorIrresolvableConflict",
               "The send or update operation could not be performed because the change key passed "
               "in the request does not match the current change key for the item.");
    }
    return item->key;
}

void check_room(Context const& context, Folder const& folder, std::uint64_t bytes) {
    auto const& quota = context.place.user->quota_bytes;
    bool const full = quota && context.mailbox().used_bytes() + bytes > *quota;
    if (full || folder.items.size() >= folder_items_max) {
        refuse(static_cast<int>(context.world.options.quota_status), "ErrorQuotaExceeded",
               "The mailbox has exceeded its quota.");
    }
}

void check_mailbox(Context const& context) {
    auto const& user = *context.place.user;
    if (!user.licensed && !user.shared) {
        refuse(404, "MailboxNotEnabledForRESTAPI", "The mailbox is inactive.");
    }
    if (user.moving_until > context.now()) {
        refuse(static_cast<int>(context.world.options.move_status), "ErrorMailboxMoveInProgress",
               "The mailbox is being moved.");
    }
}

}  // namespace

void identify_import(Context& context) {
    constexpr std::string_view name = "authtoken=";
    auto const& query = context.request.query;
    auto const at = query.find(name);
    auto const found =
        context.world.sessions.find(at == query.npos ? "" : query.substr(at + name.size()));
    if (found == context.world.sessions.end()) return;
    context.session = &found->second;
    context.audit.app = found->second.app;
    context.audit.tenant = found->second.tenant;
    context.audit.mailbox = found->second.mailbox;
    auto const place = context.world.mailboxes.find(found->second.mailbox);
    if (place == context.world.mailboxes.end()) return;
    context.place = place->second;
    context.limiter = LimiterKey{found->second.app, found->second.mailbox};
}

asio::awaitable<Response> answer_import(Context& context) {
    context.audit.route = "importItem";
    check_session(context);
    check_mailbox(context);
    auto const& options = context.world.options;
    if (context.content_length && *context.content_length / 4 * 3 > options.item_bytes_max + 4096) {
        refuse_size(options);
    }
    json::basic_parser<BodyHandler> parser{json::parse_options{}};
    auto& body = parser.handler();
    co_await read_body(context, body, parser);
    bool const update = is_update(body);
    auto& box = context.mailbox();
    auto const& folder = folder_of(box, body.value("FolderId"));
    ItemKey key = update ? item_to_update(context, folder, body) : 0;
    auto const bytes = body.reader().bytes();
    auto item = body.base64_right() ? body.reader().finish() : std::nullopt;
    if (!item) refuse(400, "ErrorCorruptData", "The data is corrupt.");
    check_room(context, folder, item->size);
    note_write(context);
    if (update) {
        box.replace_item(key, std::move(*item), context.now());
    } else {
        key = box.add_item(folder.key, std::move(*item), context.now());
    }
    context.audit.imported_bytes = bytes;
    json::object const reply{
        {"@odata.context",
         context.request.origin + "/api/gv1.0/$metadata#microsoft.graph.importMailboxItemResponse"},
        {"itemId", box.item_id(*box.item(key), context.immutable_ids())},
        {"changeKey", box.change_key_of(*box.item(key))}};
    co_return json_response(200, reply);
}

}  // namespace graphsim
