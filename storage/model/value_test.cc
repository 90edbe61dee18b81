#include "storage/model/value.h"

#include <bit>
#include <limits>

#include <gtest/gtest.h>

namespace larder {
namespace {

std::string_view Bytes(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string Text(double value) { return ValueText(ValueType::kDouble, Bytes(&value, 8)); }

std::string Encode(std::string_view key, ValueType type, std::string_view payload) {
  std::string key_value;
  EncodeKeyValue({key, type, payload}, &key_value);
  return key_value;
}

// A length-delimited field with a one-byte tag and length.
std::string Field(int number, std::string_view bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} +
         std::string(bytes);
}

TEST(ValueTest, ReadsWhatItWrites) {
  const int64_t ints[] = {0, 1, -1, 127, 128, INT64_MIN, INT64_MAX};
  for (const int64_t value : ints) {
    const std::string bytes = Encode("n", ValueType::kInt, Bytes(&value, 8));
    char scratch[8];
    const auto attribute = DecodeKeyValue(bytes, scratch);
    ASSERT_TRUE(attribute.ok());
    EXPECT_EQ(attribute->type, ValueType::kInt);
    EXPECT_EQ(attribute->payload, Bytes(&value, 8));
  }
  const std::pair<ValueType, std::string> others[] = {
      {ValueType::kEmpty, ""},          {ValueType::kString, ""},
      {ValueType::kString, "\xff\xfe"}, {ValueType::kString, std::string(300, 'x')},
      {ValueType::kBool, {0}},          {ValueType::kBool, {1}},
      {ValueType::kDouble, {8, 0}},     {ValueType::kBytes, "abc"},
      {ValueType::kArray, ""},          {ValueType::kKvList, ""},
  };
  for (const auto& [type, payload] : others) {
    for (const std::string key : {"", "key", "\xc3"}) {
      std::string full = payload;
      if (type == ValueType::kDouble) full.resize(8, '\7');
      const std::string bytes = Encode(key, type, full);
      char scratch[8];
      const auto attribute = DecodeKeyValue(bytes, scratch);
      ASSERT_TRUE(attribute.ok());
      EXPECT_EQ(attribute->key, key);
      EXPECT_EQ(attribute->type, type);
      EXPECT_EQ(attribute->payload, full);
    }
  }
}

// Every message of up to five bytes over a small alphabet: either refused, or given back unchanged.
TEST(ValueTest, EveryTinyMessageIsRefusedOrReproduced) {
  const char alphabet[] = {0, 1, 2, 3, 0x08, 0x0a, 0x10, 0x12, 0x18, 0x2a, 0x7f, '\x80'};
  int decoded = 0;
  for (size_t size = 0; size <= 5; ++size) {
    std::vector<size_t> digits(size, 0);
    for (bool more = true; more;) {
      std::string message;
      for (const size_t digit : digits) message += alphabet[digit];
      char scratch[8];
      const auto attribute = DecodeKeyValue(message, scratch);
      if (attribute.ok()) {
        ++decoded;
        std::string again;
        EncodeKeyValue(*attribute, &again);
        ASSERT_EQ(again, message);
      }
      more = false;
      for (size_t& digit : digits) {
        if (++digit < sizeof alphabet) {
          more = true;
          break;
        }
        digit = 0;
      }
    }
  }
  EXPECT_GT(decoded, 100);
}

TEST(ValueTest, WhatCannotBeReproducedIsRaw) {
  const std::string value = Field(1, "v");
  const std::string raw[] = {
      "",                                                 // no value field
      Field(1, "k"),                                      // the same
      Field(2, value) + Field(1, "k"),                    // another order
      Field(1, "k") + Field(2, value) + Field(2, value),  // repeated
      Field(1, "k") + Field(2, value + value),            // repeated inside
      Field(1, "k") + Field(2, value) + Field(9, "?"),    // unknown
      Field(1, "k") + Field(2, std::string("\x10\x02")),  // a true that is not 1
  };
  for (const std::string& message : raw) {
    char scratch[8];
    const auto attribute = DecodeKeyValue(message, scratch);
    ASSERT_TRUE(attribute.ok());
    EXPECT_EQ(attribute->type, ValueType::kRaw);
    EXPECT_EQ(attribute->payload, message);
  }
  EXPECT_EQ(ValueText(ValueType::kRaw, raw[2]), "v");
  EXPECT_EQ(ValueText(ValueType::kRaw, raw[6]), "true");
  EXPECT_EQ(ValueText(ValueType::kRaw, raw[0]), "");
}

TEST(ValueTest, RefusesBrokenAndTooDeep) {
  char scratch[8];
  EXPECT_FALSE(DecodeKeyValue("\x0a", scratch).ok());
  EXPECT_FALSE(DecodeKeyValue("\x12\x05\x0a", scratch).ok());
  EXPECT_FALSE(DecodeKeyValue("\x08\x01", scratch).ok());  // a key that is a number
  std::string nested = "\x0a\x00";
  for (int depth = 0; depth < 5000; ++depth) {
    std::string outer;
    EncodeKeyValue({"", ValueType::kBytes, nested}, &outer);
    nested = outer.substr(outer.find('\x3a'));  // AnyValue{bytes}, retagged below
    nested[0] = '\x2a';
    std::string element = std::string(1, '\x0a');
    for (size_t n = nested.size(); n > 0 || element.size() == 1; n >>= 7) {
      element += static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    }
    nested = element + nested;
  }
  std::string array = Encode("k", ValueType::kArray, nested);
  EXPECT_EQ(DecodeKeyValue(array, scratch).status().message(), "attribute value nested too deep");
}

// Rows of the ECMAScript 6 number-to-text algorithm.
TEST(ValueTest, DoubleText) {
  EXPECT_EQ(Text(500.0), "500");
  EXPECT_EQ(Text(0.5), "0.5");
  EXPECT_EQ(Text(-1.25), "-1.25");
  EXPECT_EQ(Text(0.0), "0");
  EXPECT_EQ(Text(-0.0), "-0");
  EXPECT_EQ(Text(1e-6), "0.000001");
  EXPECT_EQ(Text(1.5e-7), "1.5e-7");
  EXPECT_EQ(Text(1e-10), "1e-10");
  EXPECT_EQ(Text(1e20), "100000000000000000000");
  EXPECT_EQ(Text(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(Text(1e21), "1e+21");
  EXPECT_EQ(Text(-1.2345e+100), "-1.2345e+100");
  EXPECT_EQ(Text(5e-324), "5e-324");
  EXPECT_EQ(Text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(Text(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(ValueTest, OtherTexts) {
  const int64_t number = -42;
  EXPECT_EQ(ValueText(ValueType::kInt, Bytes(&number, 8)), "-42");
  EXPECT_EQ(ValueText(ValueType::kBool, std::string(1, '\1')), "true");
  EXPECT_EQ(ValueText(ValueType::kBool, std::string(1, '\0')), "false");
  EXPECT_EQ(ValueText(ValueType::kEmpty, ""), "");
  EXPECT_EQ(ValueText(ValueType::kString, "\xff"), "\xff");
  EXPECT_EQ(ValueText(ValueType::kBytes, ""), "");
  EXPECT_EQ(ValueText(ValueType::kBytes, "f"), "Zg==");
  EXPECT_EQ(ValueText(ValueType::kBytes, "fo"), "Zm8=");
  EXPECT_EQ(ValueText(ValueType::kBytes, "foo"), "Zm9v");
  EXPECT_EQ(ValueText(ValueType::kBytes, "\xff\xff\xfe"), "///+");
}

TEST(ValueTest, JsonTexts) {
  const std::string hostile = Field(1, "a\"\\\n\x01<\xff\xe2\x80\xa8\xc3\xa9");
  const std::string array = Field(1, hostile) + Field(1, "") + Field(1, Field(7, "foo"));
  EXPECT_EQ(ValueText(ValueType::kArray, array),
            "[\"a\\\"\\\\\\n\\u0001<\\ufffd\\u2028\xc3\xa9\",null,\"Zm9v\"]");
  const std::string list = Field(1, Encode("b", ValueType::kString, "1")) +
                           Field(1, Encode("a", ValueType::kArray, "")) +
                           Field(1, Encode("b", ValueType::kBool, std::string(1, '\1')));
  EXPECT_EQ(ValueText(ValueType::kKvList, list), "{\"a\":[],\"b\":true}");
  const std::string infinity = Field(1, std::string("\x21\0\0\0\0\0\0\xf0\x7f", 9));
  EXPECT_EQ(ValueText(ValueType::kArray, Field(1, hostile) + infinity), "");
}

}  // namespace
}  // namespace larder
