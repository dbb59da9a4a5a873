/// An XML document as records, by the XPath of a mapping: bounded, without document types, so without entities of its own.
#pragma once

#include <pugixml.hpp>

#include "adapters/police/mapping.h"
#include "broker/core/result.h"

namespace flagpost::police {

inline constexpr std::size_t xml_size_max =
    8 * 1024 * 1024;  // bytes; a document takes up to 20 times that in memory
inline constexpr int xml_depth_max = 64;
inline constexpr std::size_t xml_values_max = 1000;  // at one place of one record

/// The way to something of a document by names, without numbers: "Incident/Person/@kind".
std::string way_to(const pugi::xpath_node& found, const pugi::xml_node& from);

/// An element, as long as its document lives. `looked_at`: gathers the ways, from the record of the document, to what
/// was asked for.
class XmlRecord final : public Record {
public:
    explicit XmlRecord(pugi::xml_node node, std::set<std::string>* looked_at = nullptr)
        : XmlRecord{node, node, looked_at} {}
    std::vector<std::string> values(const Place& place) const override;
    std::vector<std::unique_ptr<Record>> each(const Place& place) const override;

private:
    XmlRecord(pugi::xml_node node, pugi::xml_node root, std::set<std::string>* looked_at)
        : node_{node}, root_{root}, looked_at_{looked_at} {}
    pugi::xml_node node_, root_;
    std::set<std::string>* looked_at_;
};

class XmlFile {
public:
    /// UTF-8, or Windows-1252 and ISO 8859-1 where it declares so. Refuses what is not well-formed, too large, too deep,
    /// has a document type declaration, or more records than `records_max`.
    static Result<XmlFile> parse(std::string bytes, const Place& record, std::size_t records_max);

    const std::vector<pugi::xml_node>& records() const { return records_; }
    std::uint64_t line(std::size_t record) const { return lines_[record]; }
    std::string text_of(std::size_t record) const;
    /// The document with no other records than these; nothing else is asked of it afterwards.
    std::string only(const std::set<std::size_t>& records) &&;

private:
    XmlFile() : document_{std::make_unique<pugi::xml_document>()} {}
    std::unique_ptr<pugi::xml_document> document_;
    std::vector<pugi::xml_node> records_;
    std::vector<std::uint64_t> lines_;
};

}  // namespace flagpost::police
