// Runs the official SDK for Java against the double: a JSON list of runs in, what each saw out.
// What a run does and reports is the same in every language: ../README.md.

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import com.aliyun.openservices.log.Client;
import com.aliyun.openservices.log.common.Consts.CompressType;
import com.aliyun.openservices.log.common.Consts.CursorMode;
import com.aliyun.openservices.log.common.Index;
import com.aliyun.openservices.log.common.LogContent;
import com.aliyun.openservices.log.common.LogGroupData;
import com.aliyun.openservices.log.common.LogItem;
import com.aliyun.openservices.log.common.LogStore;
import com.aliyun.openservices.log.common.QueriedLog;
import com.aliyun.openservices.log.common.Shard;
import com.aliyun.openservices.log.common.TagContent;
import com.aliyun.openservices.log.exception.LogException;
import com.aliyun.openservices.log.http.client.ClientConfiguration;
import com.aliyun.openservices.log.http.signer.SignVersion;
import com.aliyun.openservices.log.request.PullLogsRequest;
import com.aliyun.openservices.log.request.PutLogsRequest;
import com.aliyun.openservices.log.response.GetHistogramsResponse;
import com.aliyun.openservices.log.response.GetLogsResponse;
import com.aliyun.openservices.log.response.PullLogsResponse;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

public class Drive {
  private interface Call {
    void run() throws LogException;
  }

  private final JSONObject run;
  private final JSONObject key;
  private final Client client;
  private final String project;
  private final String logstore;

  private Drive(JSONObject run) {
    this.run = run;
    key = run.containsKey("key") ? run.getJSONObject("key") : new JSONObject();
    client = clientOf(keyId(), keySecret());
    project = run.getString("project");
    logstore = run.getString("logstore");
  }

  private String keyId() {
    return key.containsKey("id") ? key.getString("id") : "test-id";
  }

  private String keySecret() {
    return key.containsKey("secret") ? key.getString("secret") : "test-secret";
  }

  private Client clientOf(String id, String secret) {
    ClientConfiguration configuration = new ClientConfiguration();
    configuration.setSignatureVersion(
        run.getString("signature").equals("v4") ? SignVersion.V4 : SignVersion.V1);
    configuration.setRegion("cn-hangzhou");
    if (run.containsKey("proxy")) {
      URI proxy = URI.create(run.getString("proxy"));
      configuration.setProxyHost(proxy.getHost());
      configuration.setProxyPort(proxy.getPort());
    }
    Client made = new Client(run.getString("endpoint"), id, secret, "sdk", configuration);
    if (key.containsKey("token")) {
      made.setSecurityToken(key.getString("token"));
    }
    return made;
  }

  private static String codeOf(Call call) {
    try {
      call.run();
      return "none";
    } catch (LogException error) {
      return error.GetErrorCode();
    }
  }

  private void put() throws LogException {
    CompressType[] kinds = {CompressType.LZ4, CompressType.ZSTD, CompressType.NONE};
    JSONArray rows = run.getJSONArray("rows");
    for (int place = 0; place < rows.size(); place++) {
      JSONObject row = rows.getJSONObject(place);
      LogItem item = new LogItem(row.getIntValue("time"));
      item.SetTimeNsPart(row.getIntValue("ns"));
      row.getJSONObject("contents").forEach((key, value) -> item.PushBack(key, (String) value));
      PutLogsRequest request =
          new PutLogsRequest(project, logstore, "cold", "sdk", new ArrayList<>(List.of(item)));
      request.SetTags(new ArrayList<>(List.of(new TagContent("__pack_id__", "p-" + place))));
      request.SetCompressType(kinds[place % kinds.length]);
      if (place == 0) {
        request.SetRouteKey(run.getString("hash_key"));
      }
      client.PutLogs(request);
    }
  }

  private List<Map<String, String>> search(String query) throws LogException {
    GetLogsResponse answer = client.GetLogs(project, logstore, run.getIntValue("from"),
        run.getIntValue("to"), "", query, 100, 0, false);
    if (!answer.IsCompleted()) {
      throw new IllegalStateException("incomplete");
    }
    List<Map<String, String>> rows = new ArrayList<>();
    for (QueriedLog log : answer.GetLogs()) {
      Map<String, String> row = new TreeMap<>();
      for (LogContent content : log.GetLogItem().GetLogContents()) {
        row.put(content.GetKey(), content.GetValue());
      }
      rows.add(row);
    }
    return rows;
  }

  private long histogram(String query) throws LogException {
    GetHistogramsResponse answer = client.GetHistograms(
        project, logstore, run.getIntValue("from"), run.getIntValue("to"), "", query);
    if (!answer.IsCompleted()) {
      throw new IllegalStateException("incomplete");
    }
    return answer.GetTotalCount();
  }

  private List<String> pull() throws LogException {
    List<String> names = new ArrayList<>();
    for (Shard shard : client.ListShard(project, logstore).GetShards()) {
      String cursor = client.GetCursor(project, logstore, shard.GetShardId(), CursorMode.BEGIN).GetCursor();
      String end = client.GetCursor(project, logstore, shard.GetShardId(), CursorMode.END).GetCursor();
      while (!cursor.equals(end)) {
        PullLogsResponse answer = client.pullLogs(
            new PullLogsRequest(project, logstore, shard.GetShardId(), 1, cursor));
        for (LogGroupData group : answer.getLogGroups()) {
          for (LogItem log : group.GetAllLogs()) {
            for (LogContent content : log.GetLogContents()) {
              if (content.GetKey().equals("name")) {
                names.add(content.GetValue());
              }
            }
          }
        }
        cursor = answer.getNextCursor();
      }
    }
    names.sort(null);
    return names;
  }

  private JSONObject errors() {
    JSONObject seen = new JSONObject();
    seen.put("create again",
        codeOf(() -> client.CreateLogStore(project, new LogStore(logstore, 30, 2))));
    seen.put("missing logstore", codeOf(() -> client.GetLogStore(project, "missing")));
    seen.put("missing project", codeOf(() -> client.GetLogStore("nobody", logstore)));
    seen.put("wrong secret",
        codeOf(() -> clientOf(keyId(), "wrong").GetLogStore(project, "missing")));
    seen.put("unknown key",
        codeOf(() -> clientOf("nobody", keySecret()).GetLogStore(project, "missing")));
    return seen;
  }

  private JSONObject drive() throws LogException {
    JSONObject seen = new JSONObject();
    client.CreateLogStore(project, new LogStore(logstore, 30, 2));
    List<Integer> ttl = new ArrayList<>();
    ttl.add(client.GetLogStore(project, logstore).GetLogStore().GetTtl());
    client.UpdateLogStore(project, new LogStore(logstore, 90, 2));
    ttl.add(client.GetLogStore(project, logstore).GetLogStore().GetTtl());
    seen.put("ttl", ttl);
    seen.put("logstores", client.ListLogStores(project, 0, 100, "").GetLogStores());

    JSONArray indexes = run.getJSONArray("indexes");
    client.CreateIndex(project, logstore, indexes.getJSONObject(0).toJSONString());
    client.UpdateIndex(project, logstore, indexes.getJSONObject(1).toJSONString());
    Index index = client.GetIndex(project, logstore).GetIndex();
    seen.put("index", index.ToJsonObject().getJSONObject("keys"));

    put();
    JSONObject found = new JSONObject();
    for (Object query : run.getJSONArray("queries")) {
      found.put((String) query, search((String) query));
    }
    seen.put("found", found);
    JSONObject counted = new JSONObject();
    for (Object query : run.getJSONArray("counts")) {
      counted.put((String) query, histogram((String) query));
    }
    seen.put("counted", counted);
    seen.put("pulled", pull());
    seen.put("errors", errors());
    client.DeleteIndex(project, logstore);
    seen.put("without index", codeOf(() -> client.GetIndex(project, logstore)));
    client.DeleteLogStore(project, logstore);
    seen.put("deleted", codeOf(() -> client.GetLogStore(project, logstore)));
    client.shutdown();
    return seen;
  }

  public static void main(String[] arguments) throws Exception {
    JSONArray seen = new JSONArray();
    String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    for (Object run : JSON.parseArray(input)) {
      seen.add(new Drive((JSONObject) run).drive());
    }
    System.out.println(seen.toJSONString());
  }
}
