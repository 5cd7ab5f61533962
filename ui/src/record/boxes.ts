// What the page of a record shows above its fields for some types only. Each box gets the record, its type's name and description, and
// says `changed` when the record is to be read again.
import { defineAsyncComponent } from 'vue'
import type { Component } from 'vue'
import { may } from '../use/session'
import { knows } from '../use/types'

interface Box {
  of: Component
  show?: () => boolean
  fresh?: boolean // made anew for each version of the record
  print?: boolean
}
const box = (load: () => Promise<unknown>, more: Omit<Box, 'of'> = {}): Box => ({ of: defineAsyncComponent(load as () => Promise<{ default: Component }>), ...more })

const seal = box(() => import('./SealBox.vue'), { show: () => may('report.unseal') })
const similar = box(() => import('./SimilarBox.vue'))
const draw = box(() => import('./DrawBox.vue'))
const exam = () => import('../exam/ExamBox.vue')
const boxes: Record<string, Box[]> = {
  danger_report: [seal, similar],
  random_draw: [draw],
  expert_draw: [draw],
  credit_evaluation: [box(() => import('./CreditBox.vue'))],
  patrol_round: [box(() => import('./PatrolBox.vue'))],
  ship_distress: [box(() => import('./DistressBox.vue'), { fresh: true, print: true })],
  exam: [box(exam, { show: () => knows('question'), fresh: true, print: true })],
  exam_sitting: [box(exam, { fresh: true, print: true })],
  accident_scenario: [box(() => import('../command/ScenarioSupply.vue'), { show: () => may('alarm.read'), fresh: true, print: true })],
  planning_assessment: [box(() => import('./SitingBox.vue'), { fresh: true, print: true })],
  course_study: [box(() => import('../study/StudyLink.vue'))],
  subscription: [box(() => import('./FeedPanel.vue'), { print: true })],
}
export const boxesOf = (type: string): Box[] => (boxes[type] ?? []).filter((b) => b.show?.() ?? true)
