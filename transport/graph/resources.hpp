#pragma once

/// Folders and items as the service describes them, read from its answers as they come. Members
/// that aren't known are passed over (brief, 2.2 to 2.4).

#include "transport/http/json_stream.hpp"
#include "transport/model/item.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::graph {

/// Reads the body of a 2xx answer. Repeats of a request start with reset().
class ReplyHandler : public http::JsonHandler {
public:
    virtual void reset() = 0;
};

struct GraphFolder {
    std::string id, parent_id, name;
    std::string type;                            ///< Folder class; "" for null: mail.
    std::optional<std::string> well_known = {};  ///< Nothing: the member is absent.
    std::uint64_t child_folders = 0, items = 0;
    bool hidden = false;
    bool search_folder = false;
};

struct GraphItem {
    std::string id, change_key;
    std::string type;  ///< Message class.
    std::uint64_t size = 0;
    std::optional<std::int64_t> created = {}, received = {};
    std::string message_id, search_key = {};
    bool removed = false;  ///< In a delta: no longer in the folder.
};

transport::ItemMeta meta_of(GraphItem item);

/// What pages of all sorts have in common: links onward, and elements under "/value/#" or, for the
/// answer about a single one, the document itself.
class PageHandler : public ReplyHandler {
public:
    enum class Shape { page, single };
    explicit PageHandler(Shape shape) : element_(shape == Shape::page ? "/value/#" : "") {}

    void reset() override;
    Result<void> text(http::JsonPath path, std::string_view value) override;
    Result<void> integer(http::JsonPath path, std::int64_t value) override;
    Result<void> boolean(http::JsonPath path, bool value) override;
    Result<void> null(http::JsonPath path) override;
    Result<void> object_begin(http::JsonPath path) override;
    Result<void> object_end(http::JsonPath path) override;

    std::string next_link, delta_link;

protected:
    virtual void element_begin() = 0;
    virtual void element_end() = 0;
    /// `member`: path within the element, "/displayName".
    virtual void member_text(std::string_view member, std::string_view value) = 0;
    virtual void member_integer(std::string_view, std::int64_t) {}
    virtual void member_boolean(std::string_view, bool) {}
    virtual void member_null(std::string_view) {}
    virtual void member_object(std::string_view) {}
    virtual void property(std::uint32_t tag, std::string_view value) = 0;

private:
    std::optional<std::string_view> member_of(http::JsonPath path) const;

    std::string const element_;
    bool open_ = false;  ///< Within an element: what stands elsewhere is no member.
    std::string property_id_, property_value_;
};

class FolderPage final : public PageHandler {
public:
    using PageHandler::PageHandler;
    void reset() override;
    std::vector<GraphFolder> folders;

private:
    void element_begin() override { folders.emplace_back(); }
    void element_end() override;
    void member_text(std::string_view member, std::string_view value) override;
    void member_integer(std::string_view member, std::int64_t value) override;
    void member_boolean(std::string_view, bool) override {}
    void member_null(std::string_view member) override;
    void property(std::uint32_t tag, std::string_view value) override;
};

class ItemPage final : public PageHandler {
public:
    using PageHandler::PageHandler;
    void reset() override;
    std::vector<GraphItem> items;

private:
    void element_begin() override { items.emplace_back(); }
    void element_end() override;
    void member_text(std::string_view member, std::string_view value) override;
    void member_integer(std::string_view member, std::int64_t value) override;
    void member_object(std::string_view member) override;
    void property(std::uint32_t tag, std::string_view value) override;
};

/// An answer of which a few members at the top are wanted, all of them text.
class TextMembers final : public ReplyHandler {
public:
    explicit TextMembers(std::vector<std::string> wanted) : wanted_(std::move(wanted)) { reset(); }
    void reset() override { values_.assign(wanted_.size(), {}); }
    Result<void> text(http::JsonPath path, std::string_view value) override;
    /// The value of the member that was named as the `index`-th; "" if it wasn't there.
    std::string& operator[](std::size_t index) { return values_.at(index); }

private:
    std::vector<std::string> wanted_;
    std::vector<std::string> values_;
};

}  // namespace mailferry::graph
