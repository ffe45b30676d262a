package dossier

// sentence is one kind of statement in both languages, with the same verbs in the same order.
type sentence struct{ zh, en string }

// sentences are all that a report can say.
func sentences() map[string]sentence {
	return map[string]sentence{
		"verdict-good": {"核验通过：卷宗自制作以来未被改动。", "The dossier holds: nothing in it has changed since it was made."},
		"verdict-bad":  {"核验不通过：卷宗不可采信，原因如下。", "The dossier does NOT hold. What is wrong:"},
		"title-wrong":  {"不符之处", "Wrong"},
		"title-proven": {"已证明（密码学证明）", "Proven by signatures and digests"},
		"title-stated": {"记录或中心所述（已签名，但真实性不由本卷宗证明）", "Stated, under signature, but not proven here"},
		"title-open":   {"未证明", "Not proven"},

		// Wrong: the archive.
		"archive":         {"压缩包有改动：%v", "The archive was altered: %v"},
		"manifest-absent": {"缺少已签名的文件清单", "The signed list of files is missing"},
		"manifest":        {"文件清单的签名不成立：%v", "The signature over the list of files does not hold: %v"},
		"centre-key":      {"文件清单不是由所给的中心公钥签名：%v", "The list of files is not signed by the centre's key that was given: %v"},
		"file-absent":     {"清单中的文件缺失：%s", "A file of the list is missing: %s"},
		"file-added":      {"多出清单之外或无用途的文件：%s", "A file was added that the dossier has no place for: %s"},
		"file-changed":    {"文件内容已改动（SHA-256 不符）：%s", "A file was altered, its SHA-256 is another: %s"},
		"sums":            {"SHA256SUMS 与文件不一致", "SHA256SUMS does not list the files as they are"},
		"contents":        {"目录 dossier.json 无法采信：%v", "The contents in dossier.json do not hold: %v"},
		// Wrong: its parts.
		"key":         {"公钥文件与其编号不符：%v", "A key file is not the key that it is said to be: %v"},
		"segment":     {"现场对数据段的签名不成立：%v", "The site's signature over the segment does not hold: %v"},
		"record":      {"第 %d 号记录与签名不符：%v", "Record %d is not as it was signed: %v"},
		"link":        {"第 %d 号记录没有接在前一记录之后", "Record %d does not link to the one before it"},
		"order":       {"记录重复或次序颠倒：链 %s 第 %d 号", "Records stand twice or in another order: chain %s, record %d"},
		"contradicts": {"两个签名对链 %s 第 %d 号记录的说法不同", "Two signatures name different records at place %[2]d of chain %[1]s"},
		"site-key":    {"第 %d 号记录由密钥 %s 签名，该密钥不是所给的现场公钥，也不是由它轮换而来", "Record %d is signed by key %s, which is not the site's key that was given nor one it handed over to"},
		"chain-key":   {"第 %d 号记录由密钥 %s 签名，但链首记录与轮换记录没有指定该密钥", "Record %d is signed by key %s, which neither the chain's start nor a rotation names"},
		"rotation":    {"第 %d 号密钥轮换记录不成立：%v", "The key rotation in record %d does not hold: %v"},
		"receipt":     {"中心对第 %d 号记录的回执不成立：%v", "The centre's receipt for record %d does not hold: %v"},
		"picture":     {"图片不是记录所指的那一张：%s", "The picture is not the one that a record names: %s"},
		"picture-gap": {"记录所指的图片没有列出：%s", "A picture that a record names is not listed: %s"},
		"rules":       {"规则集文件不是记录所指的那一个：%v", "The rule set is not the one that a record names: %v"},
		"verdict":     {"按随附规则集重新判定第 %d 号记录，结论与密封的不同", "Record %d, judged again by the rule set in the dossier, gives another verdict than the one sealed"},
		"supplement":  {"第 %d 号补充记录所补充的记录不在卷宗内或不是同一记录", "Supplement %d adds to a record that is not in the dossier, or to another one"},
		"no-passage":  {"卷宗内没有过车记录", "The dossier holds no record of a passage"},

		// Proven.
		"whole":        {"全部 %d 个文件与中心密钥 %s 于 %s 签名的清单一致，无增无减", "All %d files are those that the centre's key %s signed on %s, none more, none less"},
		"sealed":       {"第 %d 号记录（%s）自现场密钥 %s 签名以来一字未改", "Record %d (%s) has not changed by a bit since the site's key %s signed it"},
		"place":        {"第 %d 号记录在链 %s 中的位置已签名固定，其前一记录的摘要为 %s", "Record %d has its place in chain %s under signature, after the record with digest %s"},
		"first":        {"第 %d 号记录是链 %s 的首记录", "Record %d is the first of chain %s"},
		"receipted":    {"中心签名确认：于 %[2]s 完整持有截至第 %[1]d 号记录的整条链（存储纪元 %[3]d）", "The centre signed that on %[2]s it held the chain without a hole up to record %[1]d (store epoch %[3]d)"},
		"shows":        {"图片与记录中的摘要一致：%s", "The picture is the one whose digest a record names: %s"},
		"judged":       {"第 %d 号记录：按随附规则集 %s 重新判定，结论与密封的完全相同", "Record %d: judged again by rule set %s as enclosed, the verdict is the same as the one sealed"},
		"named-key":    {"链 %s 的首记录指定签名密钥 %s", "The first record of chain %s names key %s as the one that signs it"},
		"rotated":      {"第 %d 号记录：密钥 %s 交接给 %s，新旧密钥均已签名", "Record %d: key %s handed over to %s, and both signed it"},
		"adds":         {"第 %d 号补充记录针对第 %d 号过车记录（按摘要）", "Supplement %d adds to passage %d, by digest"},
		"site-anchor":  {"签名密钥与所给的现场公钥一致，或由其轮换而来", "The signing keys are the site's key that was given, or were handed over to by it"},
		"centre-trust": {"中心密钥与所给的公钥一致：%s", "The centre's key is the one that was given: %s"},

		// Stated.
		"passed":        {"第 %d 号记录：车辆于 %s 通过，车道 %d，现场时钟自述状态“%s”", "Record %d: the vehicle passed on %s in lane %d; the site's clock said of itself: %s"},
		"opinion":       {"第 %d 号记录：%s：结果 %s，效力 %s", "Record %d: %s: outcome %s, standing %s"},
		"certificate":   {"第 %d 号记录：计量器具 %s，检定证书 %s（%s，准确度等级 %s），有效期自 %s 至 %s（不含）", "Record %d: instrument %s, verification certificate %s (%s, class %s), valid from %s until before %s"},
		"software":      {"第 %d 号记录由程序版本 %s 写入；程序摘要 %s；法定相关部分版本 %s、摘要 %s；校准数据摘要 %s", "Record %d was written by program version %s; digest of the program %s; legally relevant part %s, digest %s; calibration data %s"},
		"configuration": {"第 %d 号配置记录：现场使用 %s %s，摘要 %s", "Configuration record %d: the site works by %s %s, digest %s"},
		"key-history":   {"密钥 %s：中心采信方式 %s（%s），自 %s 起，至 %s 止", "Key %s: the centre believed it by way of %s (%s), since %s, until %s"},
		"arrived":       {"第 %d 号记录于 %s 到达中心（中心时钟）", "Record %d reached the centre on %s, by the centre's clock"},
		"officers":      {"执法人员操作 %d 项、案件 %d 件、告警 %d 条：由中心签名陈述", "%d acts of officers, %d cases and %d alerts: the centre's word, signed"},

		// Not proven.
		"owner":           {"未证明密钥 %s 属于该现场：仅以中心的采信记录为凭；请通过其他渠道核对编号", "That key %s belonged to the site: only as far as the centre's account of it goes; compare the id by another way"},
		"centre-compare":  {"未证明密钥 %s 属于该中心：请通过其他渠道核对编号，或用 --center-key 给出公钥", "That key %s belongs to the centre: compare the id by another way, or give the key with --center-key"},
		"clock":           {"未证明时间准确：现场时钟以其自述状态为限，中心时间以中心为凭", "That the times are right: the site's clock is worth what it says of itself, and the centre's is the centre's word"},
		"clock-bad":       {"第 %d 号记录的时钟状态为“%s”，其时间尤其不可作为依据", "The clock of record %d was %s: its time in particular proves little"},
		"scale":           {"未证明称重准确：以检定证书为凭，应向发证机构核实", "That the scale was right: that rests on the certificate, to be checked with whoever issued it"},
		"no-certificate":  {"第 %d 号记录没有在有效期内的检定证书：称重不得作为证据", "Record %d has no certificate in force: its weight can be no evidence"},
		"neighbours":      {"未证明相邻记录的内容：仅以摘要出现；亦未证明现场对该车没有其他记录", "What neighbouring records say: they appear as digests only; nor that the site sealed nothing else about this vehicle"},
		"unlinked":        {"未证明第 %d 号记录的前一记录：它是数据段的首条，前一摘要仅由记录自身给出", "What stood before record %d: it begins its segment, and only it names the digest before"},
		"between":         {"未证明配置记录与过车记录之间没有其他配置记录：以中心为凭", "That no other configuration record stands between that one and the passage: the centre's word"},
		"acts":            {"未证明执法人员确实作出所列操作：由中心陈述", "That officers did what is listed: the centre says so"},
		"tombstone":       {"第 %d 号记录的字节已丢失，由现场签名的占位代替：%s", "The bytes of record %d are lost; the site signed a tombstone in its place: %s"},
		"opaque":          {"第 %d 号记录属于本程序不认识的种类或版本：签名成立，内容未读", "Record %d is of a kind or version that this program does not read: signed, but not understood"},
		"no-start":        {"链 %s 的首记录不在卷宗内：签名密钥由中心指定", "The first record of chain %s is not in the dossier: only the centre says which key signs it"},
		"no-receipt":      {"第 %d 号记录没有中心回执", "The centre gave no receipt for record %d"},
		"no-picture":      {"图片不在卷宗内：%s", "A picture is not in the dossier: %s"},
		"no-rules":        {"规则集不在卷宗内，未重新判定：%s", "A rule set is not in the dossier, so nothing was judged again by it: %s"},
		"other-judge":     {"第 %d 号记录由判定程序版本 %s 判定，本程序为版本 %s：未比较", "Record %d was judged by version %s of the judging code, this is version %s: not compared"},
		"no-format-2":     {"第 %d 号记录为格式 1：没有软件与校准数据的摘要", "Record %d is of format 1: it names no digest of program, legal part or calibration"},
		"centre-says-not": {"中心自述缺少%s：%s", "The centre says that it does not have %s %s"},
	}
}
