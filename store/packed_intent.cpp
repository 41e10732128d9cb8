#include "store/packed_intent.hpp"

#include "store/packed_bytes.hpp"

#include <cstring>

namespace mailferry::store {
namespace {

constexpr char format_version = 1;
constexpr std::size_t fingerprint_bytes = 8;

void put_item(std::string& out, PackedItem const& packed) {
    auto const& item = packed.item;
    put_varint(out, packed.place);
    put_varint(out, static_cast<std::uint64_t>(item.id));
    put_varint(out, item.number);
    put_varint(out, item.replaces);
    put_varint(out, item.size);
    out.append(reinterpret_cast<char const*>(item.digest.data()), item.digest.size());
    put_fixed(out, item.fingerprint, fingerprint_bytes);
    put_varint(out, zigzag(static_cast<std::uint64_t>(item.received), 0));
    put_varint(out, zigzag(static_cast<std::uint64_t>(std::int64_t{item.zone_minutes}), 0));
    put_varint(out, item.attempts);
    put_flags(out, item.flags);
}

PackedItem take_item(PackedReader& reader, FolderId folder) {
    PackedItem packed;
    auto& item = packed.item;
    packed.place = reader.varint();
    item.id = ItemId{reader.varint()};
    item.folder = folder;
    item.state = ItemState::sending;
    item.number = reader.varint();
    item.replaces = reader.varint();
    item.size = reader.varint();
    auto const digest = reader.take(item.digest.size());
    if (!digest.empty()) std::memcpy(item.digest.data(), digest.data(), item.digest.size());
    item.fingerprint = reader.fixed(fingerprint_bytes);
    item.received = static_cast<std::int64_t>(unzigzag(reader.varint(), 0));
    item.zone_minutes = static_cast<std::int16_t>(unzigzag(reader.varint(), 0));
    item.attempts = static_cast<std::uint32_t>(reader.varint());
    item.flags = reader.flags();
    return packed;
}

}  // namespace

std::string encode_packed(std::span<PackedItem const> items) {
    std::string out;
    if (items.empty()) return out;
    out.push_back(format_version);
    put_varint(out, items.size());
    for (auto const& item : items) put_item(out, item);
    put_fixed(out, packed_checksum(out, {}), checksum_bytes);
    return out;
}

Result<std::vector<PackedItem>> decode_packed(std::string_view bytes, FolderId folder) {
    std::vector<PackedItem> items;
    if (bytes.empty()) return items;
    if (bytes.size() < 1 + checksum_bytes) return corrupt("packed items are too short");
    auto const body = bytes.substr(0, bytes.size() - checksum_bytes);
    if (PackedReader(bytes.substr(body.size())).fixed(checksum_bytes) != packed_checksum(body, {}))
        return corrupt("packed items: the checksum doesn't match");
    PackedReader reader(body);
    if (reader.take(1)[0] != format_version) return corrupt("packed items of an unknown format");
    auto const count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i)
        items.push_back(take_item(reader, folder));
    if (!reader.ok() || reader.left() > 0) return corrupt("packed items are damaged");
    return items;
}

}  // namespace mailferry::store
