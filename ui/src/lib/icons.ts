// Icon names that type descriptions may use, and those of the program itself.
import type { Component } from 'vue'
import {
  AlarmClock, Avatar, Bell, Box, Calendar, CircleCheck, Collection, Connection, Cpu, DataAnalysis, DataLine, Document, Files, Film, Flag, Grid, Guide,
  Histogram, House, Key, Lightning, Link, List, Location, Lock, Phone, MapLocation, Medal, Message, Microphone, Money, Monitor, More, MuteNotification,
  Odometer, OfficeBuilding, Picture, Postcard, Promotion, QuestionFilled, Reading, Refresh, Search, SetUp, Setting, Share, Stamp, Sunrise, Tickets, Tools,
  TrendCharts, User, VideoCamera, VideoPlay, Warning, WarningFilled,
} from '@element-plus/icons-vue'

const named: Record<string, Component> = {
  area: Location, map: MapLocation, location: Location,
  organisation: House, organization: House, house: House,
  person: User, user: User, people: Avatar,
  enterprise: OfficeBuilding, building: OfficeBuilding, factory: OfficeBuilding,
  equipment: Setting, setting: Setting, tool: Setting,
  installation: WarningFilled, hazard: Flag, flag: Flag,
  'trend-charts': TrendCharts, 'question-filled': QuestionFilled,
  device: Cpu, cpu: Cpu, point: Odometer, gauge: Odometer,
  send: Message, warning: Warning, alarm: Bell, bell: Bell,
  duty: Calendar, duty_roster: Calendar, shift_handover: Calendar, calendar: Calendar,
  'office-building': OfficeBuilding, office: OfficeBuilding, 'set-up': SetUp, 'warning-filled': WarningFilled, 'warning-hex': WarningFilled, check: CircleCheck,
  'video-camera': VideoCamera, picture: Picture, promotion: Promotion, lightning: Lightning, connection: Connection, monitor: Monitor, odometer: Odometer,
  chart: Histogram, book: Reading, search: Search, megaphone: Microphone, money: Money, link: Link, share: Share, refresh: Refresh, medal: Medal, lock: Lock,
  certificate: Postcard, archive: Collection,
  list: List, box: Box, file: Document, document: Document,
}
export const icon = (name?: string, type?: string): Component => named[name ?? ''] ?? named[type ?? ''] ?? Files
export const menuIcon = {
  today: Sunrise, map: MapLocation, exams: Reading, study: VideoPlay, alarms: Bell, replay: Film, duties: Tickets, warning: Warning, registers: Files, devices: Monitor, rules: DataLine, calc: Odometer,
  audit: Stamp, indicators: Histogram, reports: DataAnalysis, alarmload: TrendCharts,
  suppressed: MuteNotification, risk: WarningFilled, qra: MapLocation, detect: AlarmClock, sensing: Grid, remote: VideoCamera, overlay: MapLocation, command: Promotion, credit: Medal, call: Phone, publications: Stamp, quality: CircleCheck, config: Tools, roles: Key, notify: Message, me: User, try: Guide, help: QuestionFilled, more: More,
}
