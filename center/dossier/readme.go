package dossier

import (
	"fmt"
	"strings"
)

// readme explains a dossier to whoever opens it, in one language.
func readme(c *Contents, l Lang) []byte {
	var b strings.Builder
	add := func(z, e string, args ...any) {
		text := e
		if l == zh {
			text = z
		}
		fmt.Fprintf(&b, text+"\n", args...)
	}
	add("# 线索 %d 证据卷宗\n", "# Dossier of matter %d\n", c.Matter.ID)
	add("现场 %s，车道 %d，车辆于 %s 通过；号牌 %s。\n由 %s 于 %s 导出。\n", "Site %s, lane %d, the vehicle passed on %s; plates %s.\nExported by %s on %s.\n",
		c.Matter.Site, c.Matter.Lane, c.Matter.Passed, plates(c.Matter.Plates, l), c.By, c.Made)
	add("超限与超载是两件事：超限（道路，交通运输执法）与超载（车辆核载，公安交管）的结果和效力分别列在 dossier.json 的 alerts 中。\n",
		"Over-limit (this road, road administration) and overloaded (this vehicle's licence, traffic police) are two things:\noutcome and standing of each are under `alerts` in dossier.json.\n")
	add("## 如何核验\n\n用本项目的工具，无需联网：\n\n    axlegate verify %s\n\n或只用 sha256sum、openssl 与 jq：步骤见项目文档 docs/dossier.md。\n第一步：\n\n    sha256sum -c SHA256SUMS\n",
		"## How to check it\n\nWith this project's tool, without a network:\n\n    axlegate verify %s\n\nOr with sha256sum, openssl and jq alone: docs/dossier.md of the project has every step. The first:\n\n    sha256sum -c SHA256SUMS\n", Name(c.Matter.ID))
	add("请通过其他渠道（例如电话）核对下列密钥编号：\n", "Compare these key ids by another way, such as a telephone call:\n")
	for _, k := range c.Keys {
		add("- %s %s（%s）", "- %s %s (%s)", owner(&k, l), k.ID, k.Algorithm)
	}
	add("\n## 文件\n", "\n## Files\n")
	add("- `manifest.jws`：其余全部文件的清单（名称、字节数、SHA-256），由中心签名", "- `manifest.jws`: the list of all other files (name, bytes, SHA-256), signed by the centre")
	add("- `SHA256SUMS`：同一清单，供 sha256sum 使用", "- `SHA256SUMS`: the same for sha256sum")
	add("- `dossier.json`：目录，以及中心所述：线索、告警、案件、执法人员的操作、密钥的采信历史", "- `dossier.json`: the contents, and what the centre says: matter, alerts, cases, acts of officers, history of the keys")
	for _, r := range c.Records {
		add("- `%s`：第 %d 号记录，%s，现场密封的原始字节", "- `%s`: record %d, %s, the bytes as the site sealed them", r.File, r.Ref.Seq, term(r.Kind).in(l))
	}
	add("- `segments/`：现场的签名；载荷是连续记录的摘要，相邻记录只以摘要出现", "- `segments/`: the site's signatures; the payload is digests of consecutive records, neighbours appear as digests only")
	add("- `receipts/`：中心签名确认持有截至该记录的整条链", "- `receipts/`: the centre's signed word that it holds the chain up to that record")
	add("- `pictures/`：图片，文件名是其 SHA-256；记录的 reads 中写有该值", "- `pictures/`: pictures, named by their SHA-256, which the record's reads name")
	add("- `rules/`：当时适用的规则集，文件名是其 SHA-256；记录的 verdict.rules_digest 写有该值", "- `rules/`: the rule set in force, named by its SHA-256, which the record's verdict.rules_digest names")
	add("- `keys/`：公钥（PEM），文件名是 RFC 7638 指纹", "- `keys/`: public keys (PEM), named by their RFC 7638 thumbprint")
	add("\n计量器具与检定证书的数据在记录的 facts.instrument 中，写入程序的标识在 software 中。", "\nThe instrument and its verification certificate are under facts.instrument in the record, the program that wrote it under software.")
	if len(c.Missing) > 0 {
		add("\n## 中心没有的\n", "\n## What the centre does not have\n")
		for _, m := range c.Missing {
			add("- %s：%s", "- %s %s", term(m.What).in(l), m.Name)
		}
	}
	add("\n## 不能证明的\n\n密钥属于谁、时钟是否准确、称重是否准确（以检定证书为凭）、相邻记录的内容、执法人员操作是否属实：本卷宗不能证明，axlegate verify 会逐条说明。",
		"\n## What it does not prove\n\nWhose the keys are, that the clocks were right, that the scale was right (that is the certificate's), what neighbouring\nrecords say, that officers did what is listed. `axlegate verify` says so one by one.")
	return []byte(b.String())
}

func plates(p []string, l Lang) string {
	if len(p) == 0 {
		return map[Lang]string{zh: "未识别", en: "not read"}[l]
	}
	return strings.Join(p, ", ")
}

func owner(k *Key, l Lang) string {
	if k.Of == OfCenter {
		return map[Lang]string{zh: "中心", en: "centre"}[l]
	}
	return map[Lang]string{zh: "现场 ", en: "site "}[l] + string(k.Site)
}
