// The signatures of requests whose signatures are known: computed by two independent programs, or
// shipped with the official SDKs for Go and Python as their own tests.
#include "tiering/sls/sls_signer.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tiering/base/digest.h"

namespace larder {
namespace {

constexpr uint64_t kNow = 1672628645;  // Mon, 02 Jan 2023 03:04:05 GMT
constexpr std::string_view kLogGroupHex =
    "0a380880e2cfaa06121b0a0774726163654944121030303030303030303030303030616263120e0a046e616d651206"
    "474554202f782515cd5b071a0022093132372e302e302e3132120a0b5f5f7061636b5f69645f5f1203502d31";

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

SlsCredentials Mock(std::string token = "") {
  return {"mockAccessKeyID", "mockAccessKeySecret", std::move(token)};
}

SlsRequest Put(const std::string& path) {
  return {.method = "POST",
          .host = "proj.cn-hangzhou.log.aliyuncs.com",
          .path = path,
          .headers = {{"content-type", "application/x-protobuf"},
                      {"x-log-apiversion", "0.6.0"},
                      {"x-log-bodyrawsize", "91"}},
          .body = FromHex(kLogGroupHex)};
}

SlsRequest Get() {
  return {.host = "proj.cn-hangzhou.log.aliyuncs.com",
          .path = "/logstores/demo-traces",
          .query = {{"from", "1700000000"},
                    {"to", "1700003600"},
                    {"line", "100"},
                    {"offset", "0"},
                    {"reverse", "false"},
                    {"topic", ""},
                    {"type", "log"},
                    {"query",
                     "* and service: svc-a | select traceid from log where name like 'GET /你%' "
                     "limit 20"}},
          .headers = {{"x-log-apiversion", "0.6.0"}, {"x-log-bodyrawsize", "0"}}};
}

std::string Authorization(const SlsRequest& request) { return request.headers.at("authorization"); }

std::string SignatureV4(const SlsRequest& request) {
  const std::string text = Authorization(request);
  return text.substr(text.rfind('=') + 1);
}

TEST(SlsSignerV1, PutLogs) {
  SlsRequest request = Put("/logstores/demo-traces/shards/lb");
  SignV1(Mock(), kNow, &request);
  EXPECT_EQ(StringToSignV1(request),
            "POST\n1432E4D13616ABAAAA22ACCC9AC6DE24\napplication/x-protobuf\n"
            "Mon, 02 Jan 2023 03:04:05 GMT\nx-log-apiversion:0.6.0\nx-log-bodyrawsize:91\n"
            "x-log-signaturemethod:hmac-sha1\n/logstores/demo-traces/shards/lb");
  EXPECT_EQ(Authorization(request), "LOG mockAccessKeyID:Kqhq3gQEctrgtdNSqr/ikRT4xyg=");
}

TEST(SlsSignerV1, TheCopyOfTheDateIsNotSigned) {
  SlsRequest request = Put("/logstores/demo-traces/shards/lb");
  request.headers["x-log-date"] = "Mon, 02 Jan 2023 03:04:05 GMT";
  SignV1(Mock(), kNow, &request);
  EXPECT_EQ(Authorization(request), "LOG mockAccessKeyID:Kqhq3gQEctrgtdNSqr/ikRT4xyg=");
}

TEST(SlsSignerV1, PutLogsToAShard) {
  SlsRequest request = Put("/logstores/demo-traces/shards/route");
  request.query = {{"key", "14d2f850ad6ea48e46e4547edbbb27e0"}};
  request.headers["x-log-compresstype"] = "lz4";
  SignV1(Mock(), kNow, &request);
  EXPECT_EQ(Authorization(request), "LOG mockAccessKeyID:DyVtXBt9+xrtqQHu5o3nt6BOXwc=");
}

TEST(SlsSignerV1, GetLogs) {
  SlsRequest request = Get();
  SignV1(Mock(), kNow, &request);
  EXPECT_EQ(Authorization(request), "LOG mockAccessKeyID:mO2QzVzZ8s1vjrJ6TUdj4wjssOE=");
}

TEST(SlsSignerV1, GetLogsByPostWithToken) {
  SlsRequest request{
      .method = "POST",
      .path = "/logstores/demo-traces/logs",
      .headers = {{"content-type", "application/json"},
                  {"x-log-apiversion", "0.6.0"},
                  {"x-log-bodyrawsize", "175"}},
      .body = R"({"from":1700000000,"to":1700003600,"topic":"","line":100,"offset":0,)"
              R"("reverse":false,"query":"traceID: 0000000000000abc","powerSql":false,"fromNs":0,)"
              R"("toNs":0,"highlight":false})"};
  SignV1(Mock("sts-token-1"), kNow, &request);
  EXPECT_EQ(request.headers.at("content-md5"), "A150F8B57D5978B8EC5D02ED735B0AEA");
  EXPECT_EQ(Authorization(request), "LOG mockAccessKeyID:V2hi/ZEiQPSFG8UzJHGDrqjDgM8=");
}

// Of the SDK for Go, TestSignatureGet and TestSignaturePost. Their date names the wrong day of the
// week, so the header is set as they have it.
TEST(SlsSignerV1, VectorsOfTheSdkForGo) {
  const auto sign = [](SlsRequest request) {
    request.headers["date"] = "Mon, 3 Jan 2010 08:33:47 GMT";
    request.headers["x-log-apiversion"] = "0.6.0";
    request.headers["x-log-signaturemethod"] = "hmac-sha1";
    return Base64(HmacSha1("mockAccessKeySecret", StringToSignV1(request)));
  };
  EXPECT_EQ(sign({.path = "/logstores", .headers = {{"x-log-bodyrawsize", "0"}}}),
            "Rwm6cTKzoti4HWoe+GKcb6Kv07E=");
  const std::string body = FromHex(
      "0a320a1e08f8b2939e0512160a07546573744b6579120b54657374436f6e74656e741a00220e31302e3233302e32"
      "30312e313137");
  EXPECT_EQ(HexUpper(Md5(body)), "8D6881250FF5559F59BBDF04100F6E59");
  EXPECT_EQ(sign({.path = "/logstores/app_log",
                  .headers = {{"content-md5", HexUpper(Md5(body))},
                              {"content-type", "application/x-protobuf"},
                              {"x-log-bodyrawsize", "50"}}}),
            "87xQWqFaOSewqRIma8kPjGYlXHc=");
}

TEST(SlsSignerV4, PutLogs) {
  SlsRequest request = Put("/logstores/demo-traces/shards/lb");
  SignV4(Mock(), "cn-hangzhou", kNow, &request);
  EXPECT_EQ(HexLower(Sha256(CanonicalRequestV4(request))),
            "c1688377c3bc192683f9a687dc51fa6e9924cf4ea5726e21950122a0231ac337");
  EXPECT_EQ(Authorization(request),
            "SLS4-HMAC-SHA256 Credential=mockAccessKeyID/20230102/cn-hangzhou/sls/"
            "aliyun_v4_request,Signature="
            "3121b7276c45ad2eaed0fd693d96101ba421922ba0c7388f895313fc7a4116b3");
}

TEST(SlsSignerV4, GetLogs) {
  SlsRequest request = Get();
  SignV4(Mock(), "cn-hangzhou", kNow, &request);
  EXPECT_EQ(HexLower(Sha256(CanonicalRequestV4(request))),
            "e049907e2ebf6574e184da79d23a1890aec082fb8a414869771dee580972811a");
  EXPECT_EQ(SignatureV4(request),
            "1b2e84478438f78c184fbce4d9439befa800859f96501b8f0b2a1bc839a490ef");
}

// Those that the SDKs for Go and Python ship (signature_v4_test.go, test_auth.py), numbered as
// there.
class SdkVectorsV4 : public testing::Test {
 protected:
  static std::string Sign(SlsRequest request, std::string_view region = "cn-hangzhou") {
    SignV4({"acsddda21dsd", "zxasdasdasw2", ""}, region, 1659929010, &request);  // 20220808T032330Z
    return SignatureV4(request);
  }
  const SlsRequest first_{.method = "POST",
                          .path = "/logstores",
                          .query = {{" abc", "efg"}, {" agc ", ""}, {"", "efg"}, {"A-bc", "eFg"}},
                          .headers = {{"hello", "world"},
                                      {"hello-text", "a12X- "},
                                      {" ko ", ""},
                                      {"", "AA"},
                                      {"x-log-test", "het123"},
                                      {"x-acs-ppp", "dds"}},
                          .body = "adasd= -asd zcas"};
};

TEST_F(SdkVectorsV4, OneToFive) {
  EXPECT_EQ(Sign(first_), "a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed");
  EXPECT_EQ(Sign({.method = "POST", .path = "/logstores", .body = first_.body}, "cn-shanghai"),
            "8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8");
  SlsRequest empty = first_;
  empty.body.clear();
  EXPECT_EQ(Sign(empty), "5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701");
  empty.method = "GET";
  EXPECT_EQ(Sign(empty), "d92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a");
  SlsRequest odd = first_;
  odd.path = "/logstores/hello/a+*~bb/cc";
  odd.query["abs-ij*asd/vc"] = "a~js+d ada";
  odd.query["a abAas123/vc"] = "a~jdad a2ADFs+d ada";
  EXPECT_EQ(Sign(odd), "2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff");
}

TEST_F(SdkVectorsV4, Six) {
  EXPECT_EQ(PercentEncode("123abc!@#$%^&*()-=_+ ~|\\/"),
            "123abc%21%40%23%24%25%5E%26%2A%28%29-%3D_%2B%20~%7C%5C%2F");
}

TEST(HttpDate, WritesWhatItReads) {
  EXPECT_EQ(HttpDate(kNow), "Mon, 02 Jan 2023 03:04:05 GMT");
  for (const uint64_t time : {1ULL, 1672628645ULL, 4102444800ULL, 1709164800ULL}) {
    EXPECT_EQ(ParseHttpDate(HttpDate(time)), time);
  }
  for (const char* wrong : {"", "yesterday", "Mon, 02 Foo 2023 03:04:05 GMT", "1672628645"}) {
    EXPECT_EQ(ParseHttpDate(wrong), 0U) << wrong;
  }
}

TEST(Base64, WritesWhatItReads) {
  for (const std::string& bytes :
       {std::string(), std::string("\0", 1), std::string("ab"), std::string("abc\xff")}) {
    EXPECT_EQ(*FromBase64(Base64(bytes)), bytes);
  }
  EXPECT_EQ(Base64("abc\xff"), "YWJj/w==");
  for (const char* wrong : {"YWJ", "YW J", "YWJj\n", "!!!!", "====="}) {
    EXPECT_EQ(FromBase64(wrong).status().code(), StatusCode::kDataLoss) << wrong;
  }
}

}  // namespace
}  // namespace larder
