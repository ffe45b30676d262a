package dossier

import "github.com/axlegate/axlegate/wim"

// term is a word of the records that people read in their language. Over-limit and overloaded are two offences, an
// outcome is what was found and a standing what it may be used for: the words are those of the glossary.
type term string

// in gives the word in a language; one that is not known stays as the record has it.
func (t term) in(l Lang) string {
	w, ok := terms()[t]
	switch {
	case !ok:
		return string(t)
	case l == zh:
		return w.zh
	}
	return w.en
}

func terms() map[term]sentence {
	return map[term]sentence{
		term(wim.RoadAdministration): {"超限（交通运输执法）", "over-limit (road administration)"},
		term(wim.TrafficPolice):      {"超载（公安交管）", "overloaded (traffic police)"},

		term(wim.NotApplicable):   {"不适用", "not applicable"},
		term(wim.Compliant):       {"未超", "compliant"},
		term(wim.WithinTolerance): {"误差范围内", "within tolerance"},
		term(wim.Unknown):         {"无法判定", "unknown"},
		term(wim.Exceeded):        {"超过限值", "exceeded"},

		term(wim.Evidence):  {"可作证据", "evidence"},
		term(wim.Screening): {"嫌疑", "screening, a suspicion"},
		term(wim.Void):      {"无效", "void"},

		term(wim.ClockSynchronised):   {"已同步", "synchronised"},
		term(wim.ClockUnsynchronised): {"未同步", "unsynchronised"},
		term(wim.ClockStepped):        {"近期被调整", "stepped shortly before"},
		clockUnknown:                  {"状态未知", "in a state that is not known"},

		term(wim.KindStart):         {"链首", "start of the chain"},
		term(wim.KindPassage):       {"过车", "passage"},
		term(wim.KindSupplement):    {"补充", "supplement"},
		term(wim.KindConfiguration): {"配置", "configuration in force"},
		term(wim.KindRotation):      {"密钥轮换", "key rotation"},
		term(wim.KindTombstone):     {"字节已丢失的占位", "tombstone"},
		term(wim.KindEvent):         {"站点事件", "site event"},
		term(wim.KindTransaction):   {"收费站与检查站记录", "toll or checkpoint record"},
		term(wim.KindGap):           {"缺口", "gap"},

		term(wim.PartSiteFile):      {"现场配置文件", "site file"},
		term(wim.PartRules):         {"规则集", "rule set"},
		term(wim.PartRegistrations): {"行驶证登记表", "table of registrations"},
		term(wim.PartPermits):       {"超限运输许可表", "table of permits"},
		term(wim.PartHotList):       {"布控名单", "hot list"},
		term(wim.PartSite):          {"中心下发的设置", "settings from the centre"},
		term(wim.PartCalibration):   {"计量器具数据", "instruments' data"},
		term(wim.PartSoftware):      {"程序", "program"},
		term(wim.PartLegal):         {"法定相关部分", "legally relevant part"},

		term(MissingReceipt): {"该记录的回执（其前有记录尚未到达）", "the receipt of a record, since some before it have not arrived:"},
		term(MissingStart):   {"指定密钥的链首记录", "the first record of a chain, which names its key:"},
		term(MissingPicture): {"图片（未到达或已删除）", "a picture, which has not arrived or was removed:"},
		term(MissingRules):   {"规则集", "a rule set:"},
		term(MissingKey):     {"现场公钥", "a site's public key:"},

		SourceConfigured: {"中心配置文件", "the centre's configuration"},
		SourceCode:       {"一次性注册码", "a one-time code"},
		SourceRotation:   {"密钥轮换", "a key rotation"},
	}
}

// clockUnknown keeps the clock's "unknown" apart from the outcome's.
const clockUnknown term = "clock-unknown"

func clockTerm(c wim.ClockState) term {
	if c == wim.ClockUnknown {
		return clockUnknown
	}
	return term(c)
}

// How a site's key came to be believed.
const (
	SourceConfigured = "configured" // the centre's configuration names it
	SourceCode       = "code"       // enrolled with a one-time code
	SourceRotation   = "rotation"   // the key before handed over to it
)
